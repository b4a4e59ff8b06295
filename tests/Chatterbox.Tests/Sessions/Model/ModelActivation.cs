using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Serialization;

namespace Chatterbox.Tests.Sessions.Model;

/// <summary>The session on a silo: its log and its store, put together as the grain does it.</summary>
internal sealed class ModelActivation
{
    private const int RecentChanges = 8;

    private static readonly Serializer Wire =
        new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<Serializer>();
    private static readonly MigrationChain Migrations = new([new DefaultEngineAndParameters()]);
    private static readonly PersistConfig Config = PersistConfig.AppState with { Name = "model", Partialize = state => state };

    private readonly World _world;
    private readonly Session _session;
    private bool _isSaving;
    private bool _isUnsaved;

    private ModelActivation(World world)
    {
        _world = world;
        _session = new(new(world.Storage.For(this), GrainId.Create("session", "model"), Config, Migrations,
            new ChatterboxOptions { RecentChanges = RecentChanges }, world.Clock, NullLogger.Instance)
        {
            Publish = (_, what) => Publish(what),
            Arm = _ => _isUnsaved = true,
        })
        {
            // A log that was loaded again has come about as its rows did, with what it put on top.
            WriteStarting = () => Writing = History,
        };
    }

    public SessionLog Log => _session.Log;

    /// <summary>How the state in memory came about.</summary>
    public History History { get; private set; } = History.Empty;

    /// <summary>How what is being written came about.</summary>
    public History Writing { get; private set; } = History.Empty;

    /// <summary>How the rows came about that were read last.</summary>
    public Dictionary<string, System.Collections.Immutable.ImmutableList<Happening>> Read { get; } = [];

    public bool IsSaved => !_isUnsaved && !_isSaving;

    public static ModelActivation Load(World world)
    {
        var activation = new ModelActivation(world);
        world.Storage.AtOnce = true;
        activation._session.LoadAsync().Wait();
        world.Storage.AtOnce = false;
        activation.History = activation.ReadHistory;
        return activation;
    }

    /// <summary>The session goes on on another silo.</summary>
    public ModelActivation Move()
    {
        var activation = new ModelActivation(_world) { History = History };
        Assert.True(activation._session.TryResume(OverTheWire(_session.Capture())));
        return activation;
    }

    public static SessionImage OverTheWire(SessionImage image) => Wire.Deserialize<SessionImage>(Wire.SerializeToArray(image))!;

    public ApplyReply Apply(ChangeBatch batch) => _session.Apply(batch);

    /// <summary>As an import does it, or with the initial state a clear.</summary>
    public void Replace(AppState state)
    {
        History = History.Replaced(state);
        _session.Replace(state, HistoryReason.BeforeImport, "model", "model", isCleared: state == AppState.Initial);
    }

    /// <summary>Goes on as its reads and writes come about; one at a time.</summary>
    public async Task SaveAsync()
    {
        if (_isSaving || !_isUnsaved) return;
        (_isSaving, _isUnsaved) = (true, false);
        try
        {
            await _session.SaveAsync();
        }
        catch (Exception failure) when (failure is IOException or SessionConflictException
            or Orleans.Storage.InconsistentStateException)
        {
            _isUnsaved = true;
        }
        finally
        {
            _isSaving = false;
        }
    }

    private History ReadHistory =>
        TtsApp.Instance.Stored.Aggregate(History.Empty, (history, slice) => history.With(slice, Read[slice.Name]));

    private void Publish(SessionEvent happened)
    {
        if (happened is SessionReset { Reason: not "model" })
        {
            _world.Note("a conflict");
            History = Rebased();
        }
        if (happened is ChangesApplied changes)
        {
            History = changes.Changes.Aggregate(History, (history, applied) => history.With(applied));
        }
        _world.Publish(Log.Epoch, happened);
    }

    // The rows as they were read, then the replacement if there is one, with what it replaced here, then what was put on top.
    private History Rebased()
    {
        var image = Log.Capture();
        var onto = image.Replacement is { } replacement ? ReadHistory.Over(History).Replaced((AppState)replacement.State)
            : ReadHistory;
        return image.Recent.Aggregate(onto, (history, applied) => history.With(applied));
    }
}
