namespace Chatterbox.Chaos.Faults;

/// <summary>
/// The faults of a run, the same for the same seed: every kind once in random order, then again, each followed by a calm.
/// </summary>
internal static class Schedule
{
    /// <param name="length">No fault begins later.</param>
    /// <param name="longest">The longest fault, 5 s at least. A calm is as long as the fault before it, within 8 to 30 s.</param>
    public static IReadOnlyList<Fault> Make(Random random, TimeSpan length, TimeSpan longest, int silos, int clients)
    {
        var faults = new List<Fault>();
        var kinds = new Queue<FaultKind>();
        for (var at = TimeSpan.FromSeconds(3); at < length;)
        {
            // One in three comes with another that begins while it lasts.
            var end = at;
            for (var left = random.Next(3) == 0 ? 2 : 1; left > 0; left--)
            {
                if (kinds.Count == 0) kinds = new(Shuffled(random));
                var fault = One(random, kinds.Dequeue(), at + Between(random, TimeSpan.Zero, TimeSpan.FromSeconds(3)),
                    longest, silos, clients);
                faults.Add(fault);
                if (fault.At + fault.Length > end) end = fault.At + fault.Length;
            }
            var calm = TimeSpan.FromSeconds(Math.Clamp((end - at).TotalSeconds, longest < TimeSpan.FromSeconds(10) ? 3 : 8, 30));
            at = end + calm;
        }
        return [.. faults.OrderBy(fault => fault.At)];
    }

    private static FaultKind[] Shuffled(Random random)
    {
        var kinds = Enum.GetValues<FaultKind>();
        random.Shuffle(kinds);
        return kinds;
    }

    private static Fault One(Random random, FaultKind kind, TimeSpan at, TimeSpan longest, int silos, int clients)
    {
        var target = random.Next(silos);
        var length = Between(random, TimeSpan.FromSeconds(5), longest);
        return kind switch
        {
            FaultKind.KillSilo => new(kind, at, Between(random, TimeSpan.Zero, TimeSpan.FromSeconds(5)), target),
            FaultKind.StopSilo => new(kind, at, TimeSpan.Zero, target),
            FaultKind.KillClient => new(kind, at, Between(random, TimeSpan.Zero, TimeSpan.FromSeconds(5)), random.Next(clients)),
            FaultKind.Mute or FaultKind.Deaf => new(kind, at, length, target,
                (CutScope)random.Next(4), (target + random.Next(1, silos)) % silos),
            FaultKind.StepClock => new(kind, at, length, target,
                Step: TimeSpan.FromSeconds(random.Next(30, 7200) * (random.Next(2) == 0 ? 1 : -1))),
            _ => new(kind, at, length, target),
        };
    }

    private static TimeSpan Between(Random random, TimeSpan least, TimeSpan most) =>
        least + ((most - least) * random.NextDouble());
}
