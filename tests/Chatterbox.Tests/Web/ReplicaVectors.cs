using System.Text.Json.Nodes;
using Chatterbox.Client;

namespace Chatterbox.Tests.Web;

/// <summary>
/// What a replica is told, step by step, and where it stands after each: rebases, gaps, answers that are lost or late, crashes
/// of the
/// silo, refusals, other slices.
/// </summary>
internal sealed class ReplicaVectors(Random random)
{
    private const int Seed = 15;
    private const int Sequences = 150;
    private const int Steps = 60;

    private readonly Replica _replica = new(TtsApp.Instance, "a");
    private readonly FakeSession _session = new();
    private readonly RandomChanges _changes = new(random);
    private readonly JsonArray _steps = [];

    private AppState _shown = AppState.Initial;
    private Need _need = Need.Attach;
    private long _others;

    public static IEnumerable<string> Lines()
    {
        var random = new Random(Seed);
        for (var sequence = 0; sequence < Sequences; sequence++) yield return new ReplicaVectors(random).Run();
    }

    private string Run()
    {
        for (var step = 0; step < Steps; step++) Step();
        return VectorJson.Line(new() { ["kind"] = "replica", ["client"] = "a", ["steps"] = _steps });
    }

    private void Step()
    {
        switch (random.Next(20))
        {
            case < 5:
                var entry = _replica.Enqueue(_changes.Next());
                Record(new() { ["op"] = "enqueue", ["sequence"] = entry.Sequence,
                    ["change"] = VectorJson.Change((AppStateChange)entry.Change) });
                break;
            case < 8:
                _session.Apply("b", ++_others, _changes.Next());
                break;
            case < 12:
                HearEvent();
                break;
            case < 16:
                Ask();
                break;
            case 16:
                _session.Save();
                break;
            case 17 when random.Next(3) == 0:
                _session.Crash();
                break;
            case 18 when random.Next(6) == 0:
                var slices = _changes.Slices();
                _replica.Select(slices);
                _need = Need.Attach;
                Record(new() { ["op"] = "select", ["slices"] = VectorJson.Slices(slices) });
                break;
            case 19 when random.Next(6) == 0 && _replica.NextBatch() is { } batch:
                var refused = new Rejection("session", "a change", "nothing: the session is read-only");
                var gone = _replica.Withdraw(batch, refused);
                Record(new()
                {
                    ["op"] = "withdraw", ["batch"] = Batch(batch), ["rejection"] = VectorJson.Rejection(refused),
                    ["rejected"] = new JsonArray([.. gone.Select(each => (JsonNode)each.Entry.Sequence)]),
                });
                break;
            default:
                Ask();
                break;
        }
    }

    private void HearEvent()
    {
        if (!_session.Events.TryDequeue(out var heard)) return;
        if (random.Next(8) == 0 || _replica.IsPast(heard.Epoch)) return;
        if (_replica.Epoch == 0 || heard.Epoch != _replica.Epoch)
        {
            _need = Need.Attach;
            return;
        }
        if (heard.Event is ChangesApplied changes)
        {
            var wanted = changes with { Changes = FakeSession.Wanted(changes.Changes, _replica.Slices) };
            var need = _replica.ChangesApplied(wanted);
            if (need > _need) _need = need;
            Record(new()
            {
                ["op"] = "changes", ["from"] = wanted.FromRevision, ["to"] = wanted.ToRevision,
                ["changes"] = Changes(wanted.Changes),
                ["need"] = need.ToString(),
            });
        }
        else if (heard.Event is BecameDurable durable)
        {
            _replica.BecameDurable(durable.Revision);
            Record(new() { ["op"] = "durable", ["revision"] = durable.Revision });
        }
    }

    private void Ask()
    {
        switch (_need)
        {
            case Need.Attach:
                Attach();
                break;
            case Need.CatchUp:
                var since = _session.Since(_replica.Epoch, _replica.Revision, _replica.Slices);
                _need = since.Epoch == _replica.Epoch ? _replica.CaughtUp(since) : Need.Attach;
                Record(new() { ["op"] = "caughtUp", ["since"] = Since(since), ["need"] = _need.ToString() });
                break;
            default:
                Send();
                break;
        }
    }

    private void Attach()
    {
        var request = new AttachRequest
        {
            Client = new("p", "a"), Device = "d", Slices = _replica.Slices, Epoch = _replica.Epoch,
            SeenRevision = _replica.Revision,
            NextSequence = _replica.FirstOutstanding,
        };
        var reply = _session.Attach(request);
        if (random.Next(8) == 0) return;
        var taken = _replica.Attached(reply, request.SeenRevision);
        _need = taken ? Need.Nothing : Need.Attach;
        Record(new()
        {
            ["op"] = "attached", ["seen"] = request.SeenRevision, ["state"] = Since(reply.State),
            ["applied"] = new JsonArray([.. reply.Applied.Select(each =>
                new JsonObject { ["slice"] = each.Slice, ["sequence"] = each.Sequence })]),
            ["taken"] = taken,
        });
    }

    private void Send()
    {
        var batch = _replica.NextBatch();
        Record(new() { ["op"] = "batch", ["batch"] = batch is null ? null : Batch(batch) });
        if (batch is null) return;
        var reply = _session.Apply(batch);
        if (random.Next(6) == 0)
        {
            // The answer is lost: whatever became of it, the session is asked.
            _need = Need.Attach;
            return;
        }
        var (need, rejected) = _replica.Replied(batch, reply);
        _need = need;
        Record(new()
        {
            ["op"] = "replied", ["batch"] = Batch(batch), ["result"] = (int)reply.Result, ["epoch"] = reply.Epoch,
            ["durable"] = reply.DurableRevision,
            ["outcomes"] = new JsonArray([.. reply.Outcomes.Select(Outcome)]), ["need"] = need.ToString(),
            ["rejected"] = new JsonArray([.. rejected.Select(each => (JsonNode)each.Entry.Sequence)]),
        });
    }

    /// <summary>The step, with where it has led: whatever is shown otherwise than before, slice by slice.</summary>
    private void Record(JsonObject step)
    {
        var visible = new JsonObject();
        foreach (var slice in TtsApp.Instance.Slices)
        {
            if (!VectorJson.IsSame(_shown, (AppState)_replica.Visible,
            slice)) visible[slice.Name] = VectorJson.Slice((AppState)_replica.Visible, slice);
        }
        _shown = (AppState)_replica.Visible;
        step["after"] = new JsonObject
        {
            ["epoch"] = _replica.Epoch, ["revision"] = _replica.Revision, ["durable"] = _replica.DurableRevision,
            ["outbox"] = new JsonArray([.. _replica.Outbox.All.Select(each => (JsonNode)each.Sequence)]),
            ["gone"] = new JsonArray([.. _replica.Gone.Select(each => (JsonNode)each)]), ["visible"] = visible,
        };
        _replica.Gone.Clear();
        _steps.Add(step);
    }

    private static JsonObject Batch(ChangeBatch batch) => new()
    {
        ["epoch"] = batch.Epoch, ["after"] = batch.After, ["sequences"] = new JsonArray([.. batch.Changes.Select(each
            => (JsonNode)each.Sequence)]),
    };

    private static JsonObject Since(CatchUp since) => new()
    {
        ["epoch"] = since.Epoch, ["revision"] = since.Revision, ["durableRevision"] = since.DurableRevision,
        ["snapshot"] = since.Snapshot is null ? null : VectorJson.State((AppState)since.Snapshot),
            ["changes"] = Changes(since.Changes),
    };

    private static JsonArray Changes(ValueList<AppliedChange> changes) => new([.. changes.Select(each => new JsonObject
    {
        ["revision"] = each.Revision, ["client"] = each.Client, ["sequence"] = each.Sequence,
        ["change"] = VectorJson.Change((AppStateChange)each.Change),
    })]);

    private static JsonNode Outcome(ChangeOutcome outcome) => outcome.Rejection is null
        ? new JsonObject { ["revision"] = outcome.Revision }
        : new JsonObject { ["rejection"] = VectorJson.Rejection(outcome.Rejection) };
}
