using System.CommandLine;
using Chatterbox.Cli.Files;
using Chatterbox.Cli.Connection;
using Chatterbox.Client.Backup;

namespace Chatterbox.Cli.Work;

/// <summary>Chunks of text: <c>chunk list | add | complete | rm | audio</c>.</summary>
internal static class ChunkCommands
{
    public static Command Create() => new("chunk", "Chunks of text and their audio: list, add, complete, rm, audio.")
    {
        List(), Add(), Complete(), Remove(), Audio(),
    };

    private static SessionVerb List() => ItemList.Create(
        "chunk", "Lists the chunks.", TtsSlice.Chunks, state => state.Chunks, TtsJson.Default.ValueListChunk,
        ("id", chunk => chunk.Id), ("status", chunk => ItemList.Name(chunk.Status)),
        ("engine", chunk => ItemList.Name(chunk.Engine)),
        ("created", chunk => ItemList.Time(chunk.CreatedAt)), ("text", chunk => chunk.Text));

    private static SessionVerb Add()
    {
        var json = JsonOption.Create();
        var text = new Argument<string>("TEXT") { Description = $"1 to {TtsLimits.ChunkTextLength} characters." };
        var id = new Option<string?>("--id") { Description = "Its id; generated unless given.", HelpName = "id" };
        var session = new Option<string?>("--session") { Description = "The work session to add it to.", HelpName = "id" };
        return new SessionVerb("add", "Adds a chunk with the parameters set now, and prints its id.",
            """
            Examples:
              chatterbox chunk add alice "It was a dark and stormy night."
              chatterbox chunk add alice "Chapter 1" --id title --session session-1
              chatterbox chunk add alice -- "- he said, and left."    (-- before a text that begins with -)
            """)
        {
            text, id, session, json,
        }.DoesTts(async run =>
        {
            var state = run.Store.State;
            var now = TimeProvider.System.GetUtcNow();
            var chunk = new Chunk
            {
                Id = state.Chunks.FreeId(run.Parsed.GetValue(id), "chunk"),
                Text = run.Parsed.GetRequiredValue(text),
                Engine = state.Preferences.Engine,
                Parameters = state.Preferences.Parameters,
                CreatedAt = now,
            };
            var changes = new List<SessionChange> { new UpsertChunk(chunk) };
            if (run.Parsed.GetValue(session) is { } sessionId)
            {
                var work = state.WorkSessions.Existing(sessionId, "--session");
                changes.Add(new UpsertWorkSession(work with { ChunkIds = work.ChunkIds.Add(chunk.Id), UpdatedAt = now }));
            }
            await run.ChangeAsync([.. changes]);
            run.Output.WriteId(chunk.Id, run.Parsed.GetValue(json));
        });
    }

    private static SessionVerb Complete()
    {
        var id = new Argument<string>("ID") { Description = "The chunk's id." };
        var file = new Argument<string>("FILE") { Description = "Its audio, such as a WAV file; - is standard input." };
        return new SessionVerb("complete", "Gives a chunk its audio.",
            """
            Examples:
              chatterbox chunk complete alice title title.wav
            """)
        {
            id, file,
        }.DoesTts(async run =>
        {
            var chunk = run.Store.State.Chunks.Existing(run.Parsed.GetRequiredValue(id), "chunk.id");
            var clip = await ClipFile.ReadAsync(run, run.Parsed.GetRequiredValue(file));
            var audio = await run.Store.Audio.UploadAsync(clip, AudioMediaType.Of(clip), run.Token);
            await run.ChangeAsync(new CompleteChunk(chunk.Id, audio));
        });
    }

    private static SessionVerb Remove()
    {
        var id = new Argument<string>("ID") { Description = "The chunk's id." };
        return new SessionVerb("rm", "Removes a chunk, also from the work sessions that list it.",
            """
            Examples:
              chatterbox chunk rm alice title
            """)
        {
            id,
        }.DoesTts(run =>
        {
            var chunk = run.Store.State.Chunks.Existing(run.Parsed.GetRequiredValue(id), "chunk.id");
            var now = TimeProvider.System.GetUtcNow();
            var lists = run.Store.State.WorkSessions.Where(work => work.ChunkIds.Contains(chunk.Id))
                .Select(work => new UpsertWorkSession(
                    work with { ChunkIds = work.ChunkIds.Where(each => each != chunk.Id).ToValueList(), UpdatedAt = now }));
            return run.ChangeAsync([.. lists, new RemoveChunk(chunk.Id)]);
        });
    }

    private static SessionVerb Audio()
    {
        var id = new Argument<string>("ID") { Description = "The chunk's id." };
        return new SessionVerb("audio", "Writes a chunk's audio to a file.",
            """
            Examples:
              chatterbox chunk audio alice title -o title.wav
              chatterbox chunk audio alice title -o - | aplay
            """)
        {
            id, OutputFile.Option,
        }.DoesTts(async run =>
        {
            var chunk = run.Store.State.Chunks.Existing(run.Parsed.GetRequiredValue(id), "chunk.id");
            if (chunk.Audio is not { } audio)
            {
                throw new WrongRequestException(
                    $"chunk {chunk.Id}: must be completed, was {chunk.Status.ToString().ToLowerInvariant()}");
            }
            var clip = await run.Store.Audio.DownloadAsync(audio.Hash, run.Token)
                ?? throw new OutOfServiceException($"chunk {chunk.Id}: its audio {audio.Hash} is not stored");
            await OutputFile.WriteAsync(
                run.Parsed.GetRequiredValue(OutputFile.Option), file => file.WriteAsync(clip, run.Token).AsTask());
        });
    }
}
