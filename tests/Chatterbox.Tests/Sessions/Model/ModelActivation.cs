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

    private static readonly Serializer Wire = new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<Serializer>();
    private static readonly MigrationChain Migrations = new([new DefaultEngineAndParameters()]);
    private static readonly PersistConfig Config = PersistConfig.AppState with { Name = "model", Partialize = state => state };

    private readonly World _world;
    private readonly SessionStore _store;
    private readonly SessionSaver _saver;
    private bool _isSaving;
    private bool _isUnsaved;

    private ModelActivation(World world)
    {
        _world = world;
        _store = new(world.Storage.For(this), GrainId.Create("session", "model"), Config, Migrations, new ChatterboxOptions(), world.Clock, NullLogger.Instance);
        _saver = new(Log, _store, world.Clock, NullLogger.Instance)
        {
            // A log that was loaded again has come about as its rows did, with what it put on top.
            BeforeWrite = moment =>
            {
                Writing = History;
                return Task.CompletedTask;
            },
            Publish = Publish,
            Changed = () => _isUnsaved = true,
        };
    }

    public SessionLog Log { get; } = new(RecentChanges);

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
        activation.Log.Load(activation._store.LoadAsync().Result, activation._saver.NewEpoch());
        world.Storage.AtOnce = false;
        activation.History = activation.ReadHistory;
        return activation;
    }

    /// <summary>The session goes on on another silo.</summary>
    public ModelActivation Move()
    {
        var image = new SessionImage { Log = Log.Capture(), Store = _store.Capture(), IsUnsaved = _isUnsaved || _isSaving };
        var arrived = Wire.Deserialize<SessionImage>(Wire.SerializeToArray(image))!;
        var activation = new ModelActivation(_world) { History = History, _isUnsaved = arrived.IsUnsaved };
        Assert.True(activation._store.TryRestore(arrived.Store));
        activation.Log.Restore(arrived.Log);
        return activation;
    }

    public ApplyReply Apply(ChangeBatch batch)
    {
        var reply = new ApplyReply { Epoch = Log.Epoch, DurableRevision = Log.DurableRevision };
        if (batch.Epoch != Log.Epoch || !Log.Knows(batch.Client)) return reply with { Result = ApplyResult.OtherEpoch };
        if (batch.After >= Log.NextSequence(batch.Client)) return reply with { Result = ApplyResult.Gap };
        var from = Log.Revision;
        var taken = new List<AppliedChange>();
        var outcomes = batch.Changes.Select(change =>
        {
            var outcome = Log.Apply(batch.Client, change, out var applied);
            if (applied is null) return outcome;
            taken.Add(applied);
            History = History.With(applied);
            return outcome;
        }).ToValueList();
        if (taken.Count > 0)
        {
            _isUnsaved = true;
            _world.Publish(Log.Epoch, new ChangesApplied(from, Log.Revision, taken.ToValueList()));
        }
        return reply with { Outcomes = outcomes };
    }

    /// <summary>As an import does it, or with the initial state a clear.</summary>
    public void Replace(AppState state)
    {
        History = History.Replaced(state);
        _saver.Replace(state, "model", isCleared: state == AppState.Initial);
    }

    /// <summary>Goes on as its reads and writes come about; one at a time.</summary>
    public async Task SaveAsync()
    {
        if (_isSaving || !_isUnsaved) return;
        (_isSaving, _isUnsaved) = (true, false);
        try
        {
            await _saver.SaveAsync();
        }
        catch (Exception failure) when (failure is IOException or SessionConflictException or Orleans.Storage.InconsistentStateException)
        {
            _isUnsaved = true;
        }
        finally
        {
            _isSaving = false;
        }
    }

    private History ReadHistory => SliceDefinition.All.Aggregate(History.Empty, (history, slice) => history.With(slice.Slice, Read[slice.Name]));

    private void Publish(SessionEvent happened)
    {
        if (happened is SessionReset { Reason: not "model" })
        {
            _world.Note("a conflict");
            History = Rebased();
        }
        _world.Publish(Log.Epoch, happened);
    }

    // The rows as they were read, then the replacement if there is one, with what it replaced here, then what was put on top.
    private History Rebased()
    {
        var image = Log.Capture();
        var onto = image.Replacement is { } replacement ? ReadHistory.Over(History).Replaced(replacement.State) : ReadHistory;
        return image.Recent.Aggregate(onto, (history, applied) => history.With(applied));
    }
}
