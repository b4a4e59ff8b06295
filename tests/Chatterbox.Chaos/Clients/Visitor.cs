using Chatterbox.Chaos.Ledgers;

namespace Chatterbox.Chaos.Clients;

/// <summary>Short visits, one after the other, each with a connection and a client id of its own.</summary>
internal sealed class Visitor(ClientSettings settings)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly Random _random = new(settings.Seed);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        for (var visit = 1; !cancellationToken.IsCancellationRequested; visit++)
        {
            var user = settings.Users[_random.Next(settings.Users.Count)];
            await VisitAsync($"{settings.Name}/v{visit}/{user}", $"{settings.Name}.{visit}", user);
            try
            {
                await Task.Delay(TimeSpan.FromMilliseconds(_random.Next(500, 3_000)), TimeProvider.System, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task VisitAsync(string label, string name, string user)
    {
        await using var connection = Connection.Open(settings.Gateways, options => options.CallTimeout = TimeSpan.FromSeconds(5));
        var store = connection.Client.Open(new(user));
        try
        {
            await store.Hydrated.WaitAsync(Timeout);
            var viewer = new Viewer(store, label);
            var maker = new Maker(store, label);
            using var closing = new CancellationTokenSource();
            var viewing = viewer.RunAsync(closing.Token);
            var work = new Workload(store, maker, name, counter: null, first: 0, _random);
            for (var left = _random.Next(1, 5); left > 0; left--) await work.OneAsync();
            await maker.Outcomes.WaitAsync(Timeout);
            await closing.CancelAsync();
            await viewing;
        }
        catch (TimeoutException)
        {
            // No silo answered in time: the tool would say so and end.
        }
        Line.Say(Word.Closed, label);
        await store.DisposeAsync();
    }
}
