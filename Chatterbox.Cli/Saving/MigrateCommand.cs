using System.CommandLine;
using Chatterbox.Cli.Connection;
using Spectre.Console;

namespace Chatterbox.Cli.Saving;

internal static class MigrateCommand
{
    public static Command Create()
    {
        var check = new Option<bool>("--check") { Description = "Look, and change nothing." };
        var json = new Option<bool>("--json") { Description = "Print it as JSON, for scripts." };
        var verb = new ClusterVerb("migrate", "Says whether every stored session would load with the silo's build, and what would become of those that would not.",
            """
            Reads all stored rows as a session does that is loaded, and writes nothing. Exit code 0 when every session would load, if
            need be migrated; 4 when rows are unreadable, or are of a newer build or of a store that is not registered.
            To try a build before any silo runs it: 'Chatterbox.Silo --check-sessions', with the settings of the database.

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
                    var page = await connection.Grains.GetGrain<ISessionCheckGrain>(0).CheckAsync(after).WaitAsync(deadline.Token);
                    found = found.Plus(page.Check);
                    report(page.Progress);
                    deadline.Extend();
                    after = page.Next;
                }
                while (after is not null);
            });
            var output = parsed.InvocationConfiguration.Output;
            foreach (var line in parsed.GetValue(json) ? [found.ToJson()] : found.Describe()) await output.WriteLineAsync(line);
            return found.AllWouldLoad ? ExitCode.Done : ExitCode.NotAsItShouldBe;
        });
        verb.Validators.Add(result =>
        {
            if (!result.GetValue(check)) result.AddError("'migrate' takes --check: sessions migrate by themselves when they are loaded.");
        });
        return verb;
    }

    // On standard error, where that is a terminal.
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
