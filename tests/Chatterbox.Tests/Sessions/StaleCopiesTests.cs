using Chatterbox.Grains.Session;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Chatterbox.Tests.Sessions;

public sealed class StaleCopiesTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new();
    private readonly StaleCopies _copies;

    public StaleCopiesTests() => _copies = new(_clock, new ServiceCollection().BuildServiceProvider());

    public void Dispose() => _copies.Dispose();

    [Fact(DisplayName = "[P9] a look is due every 10 s, and later where the silo has more than 2,000 sessions")]
    public void Paced()
    {
        var mark = _copies.Now;
        Assert.False(IsDueAfter(TimeSpan.FromSeconds(9.9), ref mark));
        Assert.True(IsDueAfter(TimeSpan.FromSeconds(0.1), ref mark));
        Assert.False(IsDueAfter(TimeSpan.FromSeconds(9.9), ref mark));

        for (var session = 0; session < 4000; session++) _copies.Joined();
        Assert.False(IsDueAfter(TimeSpan.FromSeconds(10), ref mark));
        Assert.True(IsDueAfter(TimeSpan.FromSeconds(0.1), ref mark));
        for (var session = 0; session < 4000; session++) _copies.Left();
        Assert.True(IsDueAfter(TimeSpan.FromSeconds(10), ref mark));
    }

    [Fact(DisplayName = "[P9] a look is due at once after the process has stood still for longer than 3 s")]
    public void Paused()
    {
        var mark = _copies.Now;
        _clock.Advance(TimeSpan.FromSeconds(3));
        _copies.Ticked();
        Assert.False(_copies.IsDue(ref mark));
        _clock.Advance(TimeSpan.FromSeconds(3.1));
        _copies.Ticked();
        Assert.True(_copies.IsDue(ref mark));
        Assert.False(_copies.IsDue(ref mark));
    }

    [Fact(DisplayName = "[P9] a silo that has its database to itself looks at nothing")]
    public void Alone()
    {
        _copies.IsShared = false;
        var mark = _copies.Now;
        Assert.False(IsDueAfter(TimeSpan.FromHours(1), ref mark));
    }

    private bool IsDueAfter(TimeSpan time, ref StaleCopies.Mark mark)
    {
        _clock.Advance(time);
        return _copies.IsDue(ref mark);
    }
}
