using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Chatterbox.DeployTests;

/// <summary>
/// What an operator looks at exists: every expression of dashboard and alerts, on a real scrape of a silo that is used.
/// </summary>
public sealed partial class MonitoringTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    [PrometheusFact(DisplayName = "[O3] every expression of the dashboard and of the alerts has a value on a silo that is used")]
    public async Task Every_expression_has_a_value()
    {
        using var patience = new CancellationTokenSource(Longest);
        await using var silo = await SiloUnderLoad.StartAsync(patience.Token);
        await using var prometheus = await Prometheus.StartAsync(silo.MetricsPort);
        // Rates need two samples, after the load.
        await prometheus.UntilAsync("sum(rate(chatterbox_save_latency_seconds_count[1m])) > 0", patience.Token);
        await prometheus.UntilAsync("rate(dotnet_process_cpu_time_seconds_total[1m]) > 0", patience.Token);

        var empty = new List<string>();
        foreach (var expression in DashboardExpressions().Concat(AlertOperands()))
        {
            if ((await prometheus.QueryAsync(expression)).Count == 0) empty.Add(expression);
        }
        Assert.Empty(empty);
    }

    [PrometheusFact(DisplayName =
        "[O3] every metric of the product is on the dashboard or in an alert, and every one of these exists")]
    public async Task Every_metric_is_used()
    {
        using var patience = new CancellationTokenSource(Longest);
        await using var silo = await SiloUnderLoad.StartAsync(patience.Token);
        var exported = (await silo.ReadMetricsAsync(patience.Token)).Split('\n').Select(line => Name().Match(line).Value)
            .Where(name => name.StartsWith("chatterbox_", StringComparison.Ordinal)).Select(WithoutSuffix)
            .ToHashSet(StringComparer.Ordinal);
        var used = DashboardExpressions().Concat(AlertOperands()).SelectMany(expression => Metric().Matches(expression))
            .Select(match => WithoutSuffix(match.Value)).ToHashSet(StringComparer.Ordinal);

        Assert.Empty(used.Except(exported).Except(OnPostgreSqlOnly));
        Assert.Empty(exported.Except(used));
    }

    [PrometheusFact(DisplayName = "[O3] each alert fires when it should and is silent when it should")]
    public async Task Alerts_are_tested()
    {
        var tests = await File.ReadAllTextAsync(Path.Combine(Folder, "chatterbox.rules.test.yml"));
        foreach (var alert in Alerts().Except(["ChatterboxWatchdog"]))
        {
            Assert.Contains($"name: {alert} fires", tests, StringComparison.Ordinal);
            Assert.Contains($"name: {alert} is silent", tests, StringComparison.Ordinal);
        }
        Assert.Equal((0, ""), await PromtoolAsync("check", "rules", "chatterbox.rules.yml"));
        Assert.Equal((0, ""), await PromtoolAsync("test", "rules", "chatterbox.rules.test.yml"));
    }

    // Where the database has a clock of its own.
    private static readonly string[] OnPostgreSqlOnly = ["chatterbox_cluster_clock_offset_seconds"];

    // Orleans exports a counter once it has counted.
    private static readonly string[] NotAlways = [.. OnPostgreSqlOnly, "orleans_app_requests_timedout_total"];

    private static string Folder => Path.Combine(Repository.Root, "deploy", "prometheus");

    private static IEnumerable<string> DashboardExpressions() =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, "deploy", "grafana", "chatterbox.json")))!["panels"]!
            .AsArray()
            .SelectMany(panel => panel!["targets"]?.AsArray() ?? []).Select(target => (string)target!["expr"]!)
            .Where(expression => !expression.Contains(OnPostgreSqlOnly[0], StringComparison.Ordinal));

    private static IEnumerable<string> Alerts() => AlertName().Matches(Rules()).Select(match => match.Groups[1].Value);

    /// <summary>The selectors of the alerts: an alert that has nothing to say has no value, what it looks at has.</summary>
    private static IEnumerable<string> AlertOperands() =>
        Expression().Matches(Rules()).SelectMany(match => Selector().Matches(match.Value))
            .Select(match => match.Value).Distinct()
            .Where(selector => !NotAlways.Any(name => selector.StartsWith(name, StringComparison.Ordinal)));

    private static string Rules() => File.ReadAllText(Path.Combine(Folder, "chatterbox.rules.yml"));

    private static string WithoutSuffix(string name) => Suffix().Replace(name, "");

    private static async Task<(int Code, string Problem)> PromtoolAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("promtool", arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Folder,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, process.ExitCode == 0 ? "" : output + await errors);
    }

    [GeneratedRegex("^[a-z_]+")]
    private static partial Regex Name();

    [GeneratedRegex(@"chatterbox_[a-z_]+")]
    private static partial Regex Metric();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Suffix();

    [GeneratedRegex(@"- alert: (\w+)")]
    private static partial Regex AlertName();

    [GeneratedRegex(@"expr: (>-\s+)?.*?(?=\n +(for|labels):)", RegexOptions.Singleline)]
    private static partial Regex Expression();

    [GeneratedRegex(@"\b(chatterbox|orleans|dotnet|up)(_[a-z_]+)?(\{[^}]*\})?(?=[\s)\[])")]
    private static partial Regex Selector();
}
