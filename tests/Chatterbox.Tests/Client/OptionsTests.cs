using Chatterbox.Client;
using Microsoft.Extensions.Hosting;

namespace Chatterbox.Tests.Client;

public sealed class OptionsTests
{
    [Fact(DisplayName = "[C3] [X2] an option of the client out of its range stops the start, with its name, and what is allowed")]
    public void Ranges()
    {
        foreach (var (name, wrong) in ((string, Action<ChatterboxClientOptions>)[])
        [
            ("OutboxChanges", options => options.OutboxChanges = 0),
            ("OutboxBytes", options => options.OutboxBytes = 1),
            ("OutboxWait", options => options.OutboxWait = TimeSpan.FromDays(1)),
            ("OutboxDirectory", options => options.OutboxDirectory = " "),
            ("Heartbeat", options => options.Heartbeat = TimeSpan.Zero),
            ("CallTimeout", options => options.CallTimeout = TimeSpan.Zero),
            ("MaxRetryDelay", options => options.MaxRetryDelay = TimeSpan.Zero),
            ("CloseTimeout", options => options.CloseTimeout = TimeSpan.FromSeconds(-1)),
            ("Device", options => options.Device = ""),
        ])
        {
            var host = Host.CreateEmptyApplicationBuilder(null);
            var error = Assert.Throws<ArgumentException>(() => host.AddChatterboxClient(wrong));
            Assert.Contains(name, error.Message, StringComparison.Ordinal);
        }
        Host.CreateEmptyApplicationBuilder(null).AddChatterboxClient();
    }
}
