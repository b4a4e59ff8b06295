using System.Globalization;
using Chatterbox.Chaos.Ledgers;

namespace Chatterbox.Chaos.Clients;

/// <summary>
/// A client process. It is told on standard input: <c>settle</c> makes no more changes and says when all have an outcome,
/// <c>report</c> says all that is shown, the end of input closes it in good order.
/// </summary>
internal static class ClientProgram
{
    public const string Settle = "settle";
    public const string Report = "report";

    public static async Task RunAsync(ClientSettings settings)
    {
        using var closing = new CancellationTokenSource();
        using var settling = new CancellationTokenSource();
        await using var connection = Connection.Open(settings.Gateways, options =>
            (options.OutboxDirectory, options.ClusterId) = (settings.OutboxDirectory, settings.ClusterId));
        var viewers = new List<Viewer>();
        var makers = new List<Maker>();
        var running = new List<Task>();
        var viewing = new List<Task>();
        if (settings.Role is ClientRole.Visitor) running.Add(new Visitor(settings).RunAsync(settling.Token));
        else foreach (var user in settings.Users) Open(user);

        while (await Console.In.ReadLineAsync() is { } command)
        {
            if (command == Settle) _ = SettleAsync();
            if (command == Report) viewers.ForEach(viewer => viewer.Report());
        }
        await settling.CancelAsync();
        await closing.CancelAsync();
        await Task.WhenAll(viewing);

        void Open(string user)
        {
            var label = $"{settings.Name}/{user}";
            var store = connection.Client.Open(new(user));
            var viewer = new Viewer(store, label);
            viewers.Add(viewer);
            viewing.Add(viewer.RunAsync(closing.Token));
            if (settings.Role is ClientRole.Reader) return;
            var maker = new Maker(store, label);
            makers.Add(maker);
            var random = new Random((settings.Seed * 31) + running.Count);
            running.Add(new Workload(store, maker, settings.Name, settings.Counter, FirstNumber(settings.Name), random)
                .RunAsync(settling.Token));
        }

        async Task SettleAsync()
        {
            await settling.CancelAsync();
            await Task.WhenAll(running);
            await Task.WhenAll(makers.Select(maker => maker.Outcomes));
            Line.Say(Word.Settled, settings.Name);
        }
    }

    // "writer.3" is the third run of a client, which goes on counting far above what the second reached.
    private static int FirstNumber(string name) =>
        name.Split('.') is [_, var run] && int.TryParse(run, CultureInfo.InvariantCulture, out var number)
            ? number * 1_000_000
            : 0;
}
