using Chatterbox.Silo;
using Chatterbox.Silo.Operations;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;
using Chatterbox.Silo.Web;

return await StartUp.RunAsync(async () =>
{
    var builder = WebApplication.CreateBuilder(new WebApplicationOptions
    {
        Args = [.. args.Where(argument => argument is not (DatabaseSchema.MigrateArgument or HealthProbe.Argument
            or SessionChecking.Argument or SessionChecking.JsonArgument))],
        // Beside the binary, whatever folder it was started from.
        ContentRootPath = AppContext.BaseDirectory,
    });
    if (args.Contains(HealthProbe.Argument))
    {
        return await HealthProbe.RunAsync(builder.Configuration, Console.Out, Console.Error);
    }
    var settings = SiloSettings.Read(builder.Configuration);

    if (args.Contains(DatabaseSchema.MigrateArgument))
    {
        StartUp.Migrate(settings.Database);
        return 0;
    }
    if (args.Contains(SessionChecking.Argument))
    {
        return await SessionChecking.RunAsync(settings, args.Contains(SessionChecking.JsonArgument), Console.Out, Console.Error, CancellationToken.None);
    }

    builder.UseChatterboxUrls();
    StartUp.EnsurePortsAreFree(settings, builder.Configuration);
    using var owned = StartUp.Own(settings.Database);
    StartUp.EnsureDatabase(settings.Database);
    await DatabaseClock.EnsureAsync(settings.Database, TimeProvider.System);

    builder.Host.UseOrleans(silo => silo.UseChatterbox(settings));
    builder.Services.AddChatterboxHealth(settings.Database);
    builder.Services.AddSingleton(settings).AddChatterboxTelemetry(settings);

    await using var app = builder.Build();
    app.MapChatterboxHealth();

    await app.StartAsync();
    StartUp.Greet(settings, app.Urls);
    await app.WaitForShutdownAsync();
    return 0;
});
