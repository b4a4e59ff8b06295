using System.CommandLine;
using Chatterbox.Cli.Connection;
using Chatterbox.Cli.Files;
using Chatterbox.Cli.State;
using Chatterbox.Client.Backup;

namespace Chatterbox.Cli.Work;

/// <summary>Saved voices: <c>voice list | save | rm</c>.</summary>
internal static class VoiceCommands
{
    public static Command Create() => new("voice", "Saved voices: list, save, rm.") { List(), Save(), Remove() };

    private static SessionVerb List() => ItemList.Create(
        "voice", "Lists the saved voices.", TtsSlice.SavedVoices, state => state.SavedVoices,
        TtsJson.Default.ValueListSavedVoice,
        ("id", voice => voice.Id), ("engine", voice => ItemList.Name(voice.Engine)),
        ("recording", voice => voice.Prompt is null ? "no" : "yes"), ("created", voice => ItemList.Time(voice.CreatedAt)),
        ("name", voice => voice.Name));

    private static SessionVerb Save()
    {
        var json = JsonOption.Create();
        var name = new Argument<string>("NAME") { Description = $"1 to {Limits.NameLength} characters." };
        var assignments = new Argument<string[]>("name=value")
        {
            Description = "Parameters other than those set now; engine=... for another engine.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var id = new Option<string?>("--id") { Description = "The voice to replace, or the id of a new one.", HelpName = "id" };
        var prompt =
            new Option<string?>("--prompt") { Description = "The recording the voice is cloned from.", HelpName = "file" };
        return new SessionVerb("save", "Saves a voice with the parameters set now, and prints its id.",
            """
            Examples:
              chatterbox voice save alice Narrator
              chatterbox voice save alice Narrator --id narrator --prompt me.wav exaggeration=0.7
            """)
        {
            name, assignments, id, prompt, json,
        }.DoesTts(async run =>
        {
            var state = run.Store.State;
            var wanted = Assignments.Parse(run.Parsed.GetValue(assignments) ?? [], state.Preferences.Engine, withSettings: false);
            var voiceId = run.Parsed.GetValue(id) ?? NewId.For("voice");
            var replaced = state.SavedVoices.Find(voiceId);
            var voice = new SavedVoice
            {
                Id = voiceId,
                Name = run.Parsed.GetRequiredValue(name),
                Engine = wanted.Engine,
                Parameters = state.Preferences.ParametersOf(wanted.Engine).With(wanted.Parameters),
                CreatedAt = replaced?.CreatedAt ?? TimeProvider.System.GetUtcNow(),
                Prompt = replaced?.Prompt,
                Unknown = replaced?.Unknown,
            };
            // Before the upload: a refused voice leaves no clip behind.
            if (Validation.Check(voice) is { } wrong) throw WrongRequestException.For(wrong);
            if (run.Parsed.GetValue(prompt) is { } file)
            {
                var clip = await ClipFile.ReadAsync(run, file);
                voice = voice with { Prompt = await run.Store.Audio.UploadAsync(clip, AudioMediaType.Of(clip), run.Token) };
            }
            await run.ChangeAsync(new UpsertVoice(voice));
            run.Output.WriteId(voice.Id, run.Parsed.GetValue(json));
        });
    }

    private static SessionVerb Remove()
    {
        var id = new Argument<string>("ID") { Description = "The voice's id." };
        return new SessionVerb("rm", "Removes a saved voice.",
            """
            Examples:
              chatterbox voice rm alice narrator
            """)
        {
            id,
        }.DoesTts(run => run.ChangeAsync(new RemoveVoice(run.Parsed.GetRequiredValue(id))));
    }
}
