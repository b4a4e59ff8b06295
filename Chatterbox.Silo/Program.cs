using Chatterbox.Silo;
using Chatterbox.Silo.Gateway.Access;
using Chatterbox.Silo.Operations;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;

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
        return await SessionChecking.RunAsync(settings, args.Contains(SessionChecking.JsonArgument), Console.Out,
            Console.Error, CancellationToken.None);
    }

    builder.UseChatterboxUrls();
    AccessCheck.Ensure(settings, builder.Environment, builder.Configuration);
    StartUp.EnsurePortsAreFree(settings, builder.Configuration);
    using var owned = StartUp.Own(settings.Database);
    StartUp.EnsureDatabase(settings.Database);
    await DatabaseClock.EnsureAsync(settings.Database, TimeProvider.System);

    builder.AddChatterbox(settings);
    await using var app = builder.Build();
    app.MapChatterbox(settings);
    DrainLine.LogWhenStopped(app);

    await app.StartAsync();
    StartUp.Greet(settings, app.Urls);
    await app.WaitForShutdownAsync();
    return 0;
});
