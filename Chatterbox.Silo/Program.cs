using Chatterbox.Silo;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;
using Chatterbox.Silo.Web;

return await StartUp.RunAsync(async () =>
{
    var builder = WebApplication.CreateBuilder(new WebApplicationOptions
    {
        Args = [.. args.Where(argument => argument != DatabaseSchema.MigrateArgument)],
        // Beside the binary, whatever folder it was started from.
        ContentRootPath = AppContext.BaseDirectory,
    });
    var settings = SiloSettings.Read(builder.Configuration);

    if (args.Contains(DatabaseSchema.MigrateArgument))
    {
        StartUp.Migrate(settings.Database);
        return;
    }

    builder.UseChatterboxUrls();
    StartUp.EnsurePortsAreFree(settings, builder.Configuration);
    DatabaseSchema.Ensure(settings.Database);

    builder.Host.UseOrleans(silo => silo.UseChatterbox(settings));
    builder.Services.AddChatterboxHealth(settings.Database);

    await using var app = builder.Build();
    app.MapChatterboxHealth();

    await app.StartAsync();
    StartUp.Greet(settings, app.Urls);
    await app.WaitForShutdownAsync();
});
