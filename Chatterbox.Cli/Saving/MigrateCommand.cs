using System.CommandLine;
using Chatterbox.Cli.Connection;
using Spectre.Console;

namespace Chatterbox.Cli.Saving;

internal static class MigrateCommand
{
    public static Command Create()
    {
        var check = new Option<bool>("--check") { Description = "Check only; change nothing." };
        var json = JsonOption.Create();
        var verb = new ClusterVerb("migrate", "Checks whether every stored session would load with the silo's build.",
            """
            Reads all stored rows with the code that loads sessions, and writes nothing. Exit code 0 when every session would
            load, after migration where needed; 4 when a row cannot be read, is of a newer build or of a store that is not
            registered.
            To check a build before any silo runs it: 'Chatterbox.Silo --check-sessions', with the database's settings.

            Examples:
              chatterbox migrate --check
              chatterbox migrate --check --json | jq .findings
            """)
        {
            check, json,
        }.Does(async (parsed, connection, deadline) =>
        {
            var found = new SessionCheck();
            await ShowAsync(async report =>
            {
                int? after = null;
                do
                {
                    var page = await connection.Grains.GetGrain<ISessionCheckGrain>(0).CheckAsync(after)
                        .WaitAsync(deadline.Token);
                    found = found.Plus(page.Check);
                    report(page.Progress);
                    deadline.Extend();
                    after = page.Next;
                }
                while (after is not null);
            });
            var output = parsed.InvocationConfiguration.Output;
            foreach (var line in parsed.GetValue(json) ? [found.ToJson()] : found.Describe()) await output.WriteLineAsync(line);
            return found.AllWouldLoad ? ExitCode.Done : ExitCode.CheckFailed;
        });
        verb.Validators.Add(result =>
        {
            if (!result.GetValue(check)) result.AddError("--check is required: sessions are migrated when they are loaded.");
        });
        return verb;
    }

    // On standard error, if that is a terminal.
    private static async Task ShowAsync(Func<Action<double>, Task> work)
    {
        if (Console.IsErrorRedirected)
        {
            await work(_ => { });
            return;
        }
        var terminal = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(Console.Error) });
        await terminal.Progress().AutoClear(true).StartAsync(context =>
        {
            var bar = context.AddTask("looking through the stored sessions", maxValue: 1);
            return work(progress => bar.Value = progress);
        });
    }
}
