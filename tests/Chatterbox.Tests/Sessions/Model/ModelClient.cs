using Chatterbox.Client;
using Chatterbox.Client.Outbox;

namespace Chatterbox.Tests.Sessions.Model;

/// <summary>
/// A client's replica, with the calls that its store makes: one at a time, tried again when there is no answer.
/// </summary>
internal sealed class ModelClient(World world, string name)
{
    private readonly List<OutboxEntry> _made = [];
    private Need _need = Need.Attach;
    private int _call;
    private bool _waits;
    private long _revision;

    public string Name => name;

    public Replica Replica { get; } = new(TtsApp.Instance, name);

    public bool IsIdle => !_waits && _need is Need.Nothing && Replica.NextBatch() is null;

    /// <summary>What the session has said to be durable.</summary>
    public IEnumerable<OutboxEntry> Durable => _made.Where(entry => entry.Durable.Task.IsCompletedSuccessfully);

    /// <summary>Other slices from now on.</summary>
    public void Select(ValueList<string>? slices)
    {
        if (Equals(slices, Replica.Slices)) return;
        Replica.Select(slices);
        Ask(Need.Attach);
    }

    public void Change(AppStateChange change) => Saw(() => _made.Add(Replica.Enqueue(change)));

    /// <summary>The next call, or none while one is not answered.</summary>
    public void Step(bool lossy)
    {
        if (_waits) return;
        if (_need is Need.Attach) Attach(lossy);
        else if (_need is Need.CatchUp) CatchUp(lossy);
        else if (Replica.NextBatch() is { } batch) Send(batch, lossy);
        else Look(lossy);
    }

    /// <summary>The call is given up. What its answer would have said is not known.</summary>
    public void GiveUp()
    {
        if (!_waits) return;
        world.Note("a call given up");
        _waits = false;
        Ask(Need.Attach);
    }

    // As the store does it.
    public void On(long epoch, SessionEvent happened) => Saw(() =>
    {
        if (Replica.IsPast(epoch)) return;
        if (Replica.Epoch == 0) Ask(Need.CatchUp);
        else if (epoch != Replica.Epoch || happened is SessionReset) Ask(Need.Attach);
        else if (happened is ChangesApplied changes) Ask(Replica.ChangesApplied(changes));
        else if (happened is BecameDurable durable) Replica.BecameDurable(durable.Revision);
    });

    private void Attach(bool lossy)
    {
        _need = Need.Nothing;
        var (next, seen, epoch, slices) = (Replica.FirstOutstanding, Replica.Revision, Replica.Epoch, Replica.Slices);
        Call(lossy, session =>
        {
            session.Log.Attach(name, next, seen);
            return new AttachReply { State = session.Log.Since(epoch, seen, slices), Applied = session.Log.AppliedOf(name) };
        }, (reply, isCurrent) =>
        {
            // Another call has been made since: this answer is of a session that may be no more.
            if (isCurrent && (!Equals(slices, Replica.Slices) || !Replica.Attached(reply, seen))) Ask(Need.Attach);
        });
    }

    private void CatchUp(bool lossy)
    {
        _need = Need.Nothing;
        var (epoch, revision, slices) = (Replica.Epoch, Replica.Revision, Replica.Slices);
        Call(lossy, session => session.Log.Since(epoch, revision, slices), (since, _) =>
            Ask(since.Epoch == Replica.Epoch ? Replica.CaughtUp(since) : Need.Attach));
    }

    private void Send(ChangeBatch batch, bool lossy) => Call(lossy, session => session.Apply(batch), (reply, _) =>
    {
        var (need, rejected) = Replica.Replied(batch, reply);
        Ask(need);
        foreach (var (entry, _) in rejected)
        {
            world.Note("a change refused");
            entry.Durable.TrySetCanceled();
        }
    });

    private void Look(bool lossy) =>
        Call(lossy,
            session => (session.Log.Epoch, session.Log.Revision, session.Log.DurableRevision, Knows: session.Log.Knows(name)),
            (now, _) =>
            {
                if (!now.Knows || now.Epoch != Replica.Epoch) Ask(Need.Attach);
                else
                {
                    if (now.Revision > Replica.Revision) Ask(Need.CatchUp);
                    Replica.BecameDurable(now.DurableRevision);
                }
            });

    private void Call<T>(bool lossy, Func<ModelActivation, T> ask, Action<T, bool> answered)
    {
        var call = ++_call;
        _waits = true;
        world.Pass(lossy, () =>
        {
            var answer = ask(world.Session);
            world.Pass(lossy, () => Saw(() =>
            {
                var isCurrent = call == _call && _waits;
                if (isCurrent) _waits = false;
                answered(answer, isCurrent);
            }));
        });
    }

    private void Ask(Need need) => _need = (Need)Math.Max((int)_need, (int)need);

    private void Saw(Action what)
    {
        what();
        Assert.True(Replica.Revision >= _revision, $"{name} went from revision {_revision} back to {Replica.Revision}");
        _revision = Replica.Revision;
    }
}
