using Orchestrator.Cli.Top;
using Orchestrator.V1;

namespace Orchestrator.Cli.Tests.Top;

/// <summary>Part 5, 30: the header of <c>orchestrator top</c> at any width.</summary>
public sealed class HeadlineTests
{
    [Theory]
    [InlineData(40)]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(100)]
    [InlineData(300)]
    public void The_header_is_packed_into_as_few_lines_as_it_fits_in(int width)
    {
        var parts = TopTables.Headline(new TopSnapshot(
            new Uri("http://127.0.0.1:7600"), new ServiceStatus { Version = "1.2.3", Draining = true }, [], [], DateTimeOffset.UnixEpoch));
        foreach (var line in parts)
        {
            var packed = TopScreen.Packed(line, width).ToArray();
            Assert.All(packed, text => Assert.True(text.Length <= width, text));
            if (width >= 60)
                Assert.Equal(string.Join(", ", line), string.Join(" ", packed.Select(text => text.TrimStart())));
            if (width == 300)
                Assert.Single(packed);
        }
    }
}
