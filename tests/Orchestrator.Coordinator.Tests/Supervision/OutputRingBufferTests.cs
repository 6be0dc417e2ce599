using System.Text;
using Orchestrator.Coordinator.Supervision;

namespace Orchestrator.Coordinator.Tests.Supervision;

/// <summary>Part 5, 9: which lines of a worker's last output are kept.</summary>
public sealed class OutputRingBufferTests
{
    [Fact]
    public void Of_what_is_no_report_the_last_lines_are_kept()
    {
        var lines = Lines(Enumerable.Range(1, 100).Select(i => $"line {i}"), out var isReport);
        Assert.False(isReport);
        Assert.Equal("line 100", lines[^1]);
        Assert.InRange(lines.Count, 20, 21);
    }

    [Fact]
    public void Of_a_report_the_first_and_the_last_are_kept_and_what_lies_between_is_counted()
    {
        var lines = Lines(["ready", "Unhandled exception. System.Exception: it broke", "   in two lines", .. Enumerable.Range(1, 1_000)
            .Select(i => $"   at Frame{i}()")], out var isReport);
        Assert.True(isReport);
        Assert.Equal(["Unhandled exception. System.Exception: it broke", "   in two lines", "   at Frame1()"], lines.Take(3));
        Assert.Contains("… 982 lines …", lines);
        Assert.Equal("   at Frame1000()", lines[^1]);
    }

    [Fact]
    public void A_report_after_which_it_goes_on_talking_was_none()
    {
        var lines = Lines(["worker: work posted to io-1 failed: System.Exception: no luck", .. Enumerable.Range(1, 30)
            .Select(i => $"line {i}")], out var isReport);
        Assert.False(isReport);
        Assert.Equal("line 30", lines[^1]);
    }

    [Fact]
    public void A_cause_in_a_long_line_is_not_cut_where_other_lines_are()
    {
        var lines = Lines([new string('x', 700), "Process terminated. " + new string('y', 1_000) + "!"], out _);
        Assert.EndsWith("y!", lines[0], StringComparison.Ordinal);
        Assert.Equal(new string('x', 500) + "…", Lines([new string('x', 700)], out _)[0]);
    }

    private static IReadOnlyList<string> Lines(IEnumerable<string> lines, out bool isReport)
    {
        var ring = new OutputRingBuffer();
        ring.Append(Encoding.UTF8.GetBytes(string.Join('\n', lines)));
        return ring.LastLines(out isReport);
    }
}
