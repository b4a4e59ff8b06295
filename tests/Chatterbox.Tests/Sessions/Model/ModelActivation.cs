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
    private bool _isSaving;
    private bool _isUnsaved;

    private ModelActivation(World world)
    {
        _world = world;
        _store = new(world.Storage.For(this), GrainId.Create("session", "model"), Config, Migrations, new ChatterboxOptions(), TimeProvider.System, NullLogger.Instance);
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
        activation.Log.Load(activation._store.LoadAsync().Result, world.NextEpoch());
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
        if (state == AppState.Initial) _store.Clear();
        Log.Replace(state, _world.NextEpoch());
        History = History.Replaced(state);
        Announce();
    }

    /// <summary>Goes on as its reads and writes come about; one at a time.</summary>
    public async Task SaveAsync()
    {
        if (_isSaving || !_isUnsaved) return;
        (_isSaving, _isUnsaved) = (true, false);
        try
        {
            var moment = Log.Moment;
            try
            {
                await WriteAsync(moment);
            }
            catch (SessionConflictException)
            {
                _world.Note("a conflict");
                var stored = await _store.LoadAsync();
                Log.Rebase(stored, _world.NextEpoch());
                History = Log.Capture().Recent.Aggregate(ReadHistory, (history, applied) => history.With(applied));
                Announce();
                moment = Log.Moment;
                _isUnsaved = false;
                await WriteAsync(moment);
            }
            Log.MarkDurable(moment.Revision);
            _world.Publish(Log.Epoch, new BecameDurable(Log.DurableRevision));
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

    private Task WriteAsync(SessionMoment moment)
    {
        Writing = History;
        return _store.SaveAsync(moment);
    }

    private History ReadHistory => SliceDefinition.All.Aggregate(History.Empty, (history, slice) => history.With(slice.Slice, Read[slice.Name]));

    private void Announce()
    {
        _isUnsaved = true;
        _world.Publish(Log.Epoch, new SessionReset("model"));
    }
}
