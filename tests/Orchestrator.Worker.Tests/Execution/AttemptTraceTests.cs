using System.Diagnostics;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Worker.Tests.Execution;

/// <summary>A listener to spans is user code: what it throws neither fails an attempt nor keeps its result.</summary>
public sealed class AttemptTraceTests
{
    [Theory]
    [InlineData("sampled")]
    [InlineData("started")]
    [InlineData("stopped")]
    public async Task A_listener_that_throws_changes_nothing_of_the_attempt(string when)
    {
        // Listeners are for the whole process: this one throws only for its own handler.
        var handler = $"traced_{when}";
        var thrown = 0;
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == TaskContext.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
            {
                Throw("sampled", options.Name);
                return options.Name.StartsWith(handler, StringComparison.Ordinal)
                    ? ActivitySamplingResult.AllData : ActivitySamplingResult.None;
            },
            ActivityStarted = span => Throw("started", span.OperationName),
            ActivityStopped = span => Throw("stopped", span.OperationName),
        };
        ActivitySource.AddActivityListener(listener);
        await using var fixture = new ExecutorFixture(r => r.MapTask(handler, (int number) => number + 1));
        var result = await fixture.RunAsync(handler, "1");
        Assert.Null(result.Error);
        Assert.Equal("2", ExecutorFixture.Text(result.Output));
        Assert.Equal(1, thrown);

        void Throw(string place, string span)
        {
            if (place != when || !span.StartsWith(handler, StringComparison.Ordinal))
                return;
            thrown++;
            throw new InvalidOperationException("a listener's own fault");
        }
    }

    [Fact]
    public async Task A_failed_attempt_has_a_failed_span()
    {
        Activity? ended = null;
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == TaskContext.ActivitySourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> options) => options.Name == "traced_failure process"
                ? ActivitySamplingResult.AllData : ActivitySamplingResult.None,
            ActivityStopped = span => ended = span,
        };
        ActivitySource.AddActivityListener(listener);
        await using var fixture = new ExecutorFixture(
            r => r.MapTask("traced_failure", int (int number) => throw new InvalidDataException($"no {number}")));
        Assert.NotNull((await fixture.RunAsync("traced_failure", "7")).Error);
        Assert.Equal((ActivityStatusCode.Error, "no 7"), (ended!.Status, ended.StatusDescription));
        Assert.Equal(typeof(InvalidDataException).FullName, ended.GetTagItem("error.type"));
        Assert.Equal(ActivityKind.Consumer, ended.Kind);
    }
}
