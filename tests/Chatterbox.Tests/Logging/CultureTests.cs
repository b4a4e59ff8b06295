using System.Globalization;
using Chatterbox.Silo;

namespace Chatterbox.Tests.Logging;

public sealed class CultureTests
{
    [Fact(DisplayName = "[O3] a silo's numbers and dates are the same whatever the locale of its machine")]
    public async Task A_silo_has_no_locale()
    {
        CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = new CultureInfo("de-DE");
        Assert.Equal("1,5", $"{1.5}");

        await StartUp.RunAsync(async () =>
        {
            Assert.Equal("1.5", $"{1.5}");
            Assert.Equal("1.5", await Task.Run(() => $"{1.5}"));
            var other = "";
            var thread = new Thread(() => other = $"{1.5} {CultureInfo.CurrentUICulture.Name}");
            thread.UnsafeStart();
            thread.Join();
            Assert.Equal("1.5 ", other);
            return 0;
        });
    }
}
