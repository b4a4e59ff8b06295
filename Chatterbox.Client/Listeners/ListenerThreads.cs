namespace Chatterbox.Client.Listeners;

/// <summary>
/// The threads that run listeners: one per processor, and one more for each blocked one. On the thread pool, a few blocked
/// listeners would block the process, including its stores.
/// </summary>
internal static class ListenerThreads
{
    /// <summary>If no waiting listener starts within this time, the threads count as blocked.</summary>
    private static readonly TimeSpan BlockedAfter = TimeSpan.FromMilliseconds(20);

    /// <summary>A thread with nothing to do ends after this time.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(10);

    private static readonly object Gate = new();
    private static readonly Queue<Action> Ready = new();
    private static readonly ITimer Watch =
        TimeProvider.System.CreateTimer(_ => Look(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    private static int _threads;
    private static int _idle;
    private static long _taken;
    private static long _seen;
    private static bool _watching;

    /// <summary>For tests.</summary>
    public static int Count { get { lock (Gate) return _threads; } }

    /// <param name="work">Must not throw.</param>
    public static void Post(Action work)
    {
        lock (Gate)
        {
            Ready.Enqueue(work);
            if (_idle > 0) Monitor.Pulse(Gate);
            else if (_threads < Environment.ProcessorCount) Start();
            if (!_watching) WatchOn();
        }
    }

    private static void Start()
    {
        _threads++;
        // Unsafe: listeners must not inherit the execution context of the caller that made the first change.
        new Thread(Run) { IsBackground = true, Name = "Chatterbox listeners" }.UnsafeStart();
    }

    private static void Run()
    {
        while (Next() is { } work) work();
    }

    private static Action? Next()
    {
        lock (Gate)
        {
            while (Ready.Count == 0)
            {
                _idle++;
                var woken = Monitor.Wait(Gate, Idle);
                _idle--;
                if (woken || Ready.Count > 0) continue;
                _threads--;
                return null;
            }
            _taken++;
            return Ready.Dequeue();
        }
    }

    private static void Look()
    {
        lock (Gate)
        {
            _watching = false;
            if (Ready.Count == 0) return;
            if (_taken == _seen) Start();
            WatchOn();
        }
    }

    private static void WatchOn()
    {
        (_watching, _seen) = (true, _taken);
        Watch.Change(BlockedAfter, Timeout.InfiniteTimeSpan);
    }
}
