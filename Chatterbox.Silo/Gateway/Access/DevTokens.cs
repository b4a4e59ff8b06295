using System.Security.Cryptography;
using System.Text;
using Chatterbox.Silo.Gateway.Http;
using Chatterbox.Silo.Gateway.Wire;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Data.Sqlite;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Chatterbox.Silo.Gateway.Access;

/// <summary>
/// Tokens for anybody, in Development and while nothing is configured. Their key is kept beside the data, so that a page stays
/// signed in when the silo starts again.
/// </summary>
internal static class DevTokens
{
    public const string Path = "/dev/token";

    private const string KeyFile = "development.key";
    private const int DefaultSeconds = 900;
    private const int LongestSeconds = 3600;

    /// <summary>The signing key: made the first time.</summary>
    /// <exception cref="SettingsException">The key cannot be kept.</exception>
    public static string KeyBeside(DatabaseOptions database)
    {
        var folder = FolderOf(database);
        var file = System.IO.Path.Combine(folder, KeyFile);
        try
        {
            Directory.CreateDirectory(folder);
            if (!File.Exists(file)) Make(file);
            var key = File.ReadAllText(file);
            if (Encoding.UTF8.GetByteCount(key) >= AuthOptions.KeyBytes) return key;
            throw new SettingsException(
                $"{file} must hold {AuthOptions.KeyBytes} bytes or more; delete it to have a new key made.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"{file} cannot be used as the key of development tokens: {failure.Message}", failure);
        }
    }

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder endpoints) => endpoints.MapPost(Path, Issue)
        .WithSummary("A token for anybody: in Development, while no authentication is configured.").WithTags("Development");

    /// <summary>A token as an issuer with this key would make it.</summary>
    public static string Sign(string key, string sub, DateTimeOffset expires, params string[] roles) =>
        new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Claims = new Dictionary<string, object> { ["sub"] = sub, ["roles"] = roles },
            Expires = expires.UtcDateTime,
            SigningCredentials = new(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(key)), SecurityAlgorithms.HmacSha256),
        });

    private static Results<Ok<DevTokenAnswer>, JsonHttpResult<Problem>> Issue(
        DevTokenCall call, SiloSettings settings, TimeProvider clock)
    {
        if (Text.CheckUserId(call.User) is { } wrong) return Problems.Of(wrong);
        var seconds = call.Seconds ?? DefaultSeconds;
        if (seconds is < 1 or > LongestSeconds)
            return Problems.Of(new Rejection("seconds", $"{seconds}", $"1 to {LongestSeconds}"));
        var expires = clock.GetUtcNow().AddSeconds(seconds);
        return TypedResults.Ok(new DevTokenAnswer(Sign(KeyBeside(settings.Database), call.User, expires), expires));
    }

    private static void Make(string file)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var stream = new StreamWriter(file, Encoding.ASCII, options);
        stream.Write(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(AuthOptions.KeyBytes)));
    }

    // Other databases are servers: of theirs, only the fallback file is here.
    private static string FolderOf(DatabaseOptions database) => database switch
    {
        { Provider: DatabaseProvider.Sqlite } =>
            System.IO.Path.GetDirectoryName(SqlitePath.Of(new SqliteConnectionStringBuilder(database.ConnectionString)))!,
        { HasFallback: true } => System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(database.Fallback))!,
        _ => System.IO.Path.Combine(Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "chatterbox"),
    };
}
