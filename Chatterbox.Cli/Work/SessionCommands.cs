using System.CommandLine;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Work;

/// <summary>Work sessions: <c>session list | new | use | rm</c>.</summary>
internal static class SessionCommands
{
    public static Command Create() => new("session", "Work sessions: list, new, use, rm.")
    {
        List(), New(), Use(), Remove(),
    };

    private static SessionVerb List() => ItemList.Create(
        "session", "Lists the work sessions.", TtsSlice.WorkSessions, state => state.WorkSessions,
        TtsJson.Default.ValueListWorkSession,
        ("id", session => session.Id), ("chunks", session => $"{session.ChunkIds.Count}"),
        ("updated", session => ItemList.Time(session.UpdatedAt)), ("name", session => session.Name));

    private static SessionVerb New()
    {
        var json = JsonOption.Create();
        var name = new Argument<string>("NAME") { Description = $"1 to {Limits.NameLength} characters." };
        var id = new Option<string?>("--id") { Description = "Its id; generated unless given.", HelpName = "id" };
        return new SessionVerb("new", "Creates a work session and prints its id.",
            """
            It is not selected; 'session use' selects it.

            Examples:
              chatterbox session new alice "Chapter 1"
            """)
        {
            name, id, json,
        }.DoesTts(async run =>
        {
            var state = run.Store.State;
            var now = TimeProvider.System.GetUtcNow();
            var session = new WorkSession
            {
                Id = state.WorkSessions.FreeId(run.Parsed.GetValue(id), "session"),
                Name = run.Parsed.GetRequiredValue(name),
                CreatedAt = now,
                UpdatedAt = now,
                Engine = state.Preferences.Engine,
                Parameters = state.Preferences.Parameters,
            };
            await run.ChangeAsync(new UpsertWorkSession(session));
            run.Output.WriteId(session.Id, run.Parsed.GetValue(json));
        });
    }

    private static SessionVerb Use()
    {
        var id = new Argument<string>("ID") { Description = "The work session's id." };
        return new SessionVerb("use", "Selects a work session.",
            """
            Examples:
              chatterbox session use alice session-1
            """)
        {
            id,
        }.DoesTts(run => run.ChangeAsync(new SelectWorkSession(run.Parsed.GetRequiredValue(id))));
    }

    private static SessionVerb Remove()
    {
        var id = new Argument<string>("ID") { Description = "The work session's id." };
        return new SessionVerb("rm", "Removes a work session. Its chunks stay.",
            """
            Examples:
              chatterbox session rm alice session-1
            """)
        {
            id,
        }.DoesTts(run => run.ChangeAsync(new RemoveWorkSession(run.Parsed.GetRequiredValue(id))));
    }
}
