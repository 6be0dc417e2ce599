using Orchestrator.Cli.Top;
using Orchestrator.V1;

namespace Orchestrator.Cli.Tests.Top;

/// <summary>What <c>orchestrator top</c> keeps between two looks.</summary>
public sealed class TopControlsTests
{
    [Fact]
    public void An_answer_is_about_what_was_asked_though_it_has_ended_meanwhile()
    {
        var controls = new TopControls();
        controls.See(Snapshot(1, 2));
        Assert.Equal(TopAction.None, Press('c', Snapshot(1, 2)));
        controls.See(Snapshot(2));
        Assert.Equal("Cancel task 1?  y/n", controls.Question);
        Assert.Equal(TopAction.Cancel, Press('y', Snapshot(2)));
        Assert.Equal(1ul, controls.Task);
        controls.See(Snapshot(2));
        Assert.Equal(2ul, controls.Task);
        Assert.Equal(TopAction.None, Press('c', Snapshot(2)));
        Assert.Equal(TopAction.None, Press('q', Snapshot(2)));
        Assert.Equal(TopAction.Quit, Press('q', Snapshot(2)));
        controls.See(Snapshot());
        Assert.Equal(TopAction.None, Press('c', Snapshot()));
        Assert.Equal("No task runs.", controls.Message);

        TopAction Press(char key, TopSnapshot snapshot) => controls.Press(new ConsoleKeyInfo(key, default, false, false, false), snapshot);
    }

    [Fact]
    public void Rates_count_from_one_look_to_the_next()
    {
        var rates = new TopRates();
        rates.Add(At(0, 10));
        Assert.Null(rates.Of(Worker(10)));
        rates.Add(At(2, 30));
        Assert.Equal(10, rates.Of(Worker(30)));
        var successor = new WorkerInfo { Name = "worker-1", Incarnation = 2 };
        Assert.Null(rates.Of(successor));

        static WorkerInfo Worker(long completed) => new() { Name = "worker-1", Incarnation = 1, CompletedTasks = completed };
        static TopSnapshot At(int second, long completed) => Snapshot() with
        {
            At = DateTimeOffset.UnixEpoch.AddSeconds(second),
            Status = new ServiceStatus { Workers = { Worker(completed) } },
        };
    }

    private static TopSnapshot Snapshot(params ulong[] tasks) => new(
        new Uri("http://127.0.0.1:7600"), new ServiceStatus(), [.. tasks.Select(id => new TaskInfo { TaskId = id })], [],
        DateTimeOffset.UnixEpoch);
}
