using Orchestrator.Worker.Tasks;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker.Tests.Execution;

public sealed class DrainTests
{
    [Fact]
    public async Task Give_back_returns_what_has_not_started_and_leaves_the_rest()
    {
        var gate = new Gate();
        await using var fixture = new ExecutorFixture(r => r.MapTask("hold", (int n) =>
        {
            gate.Block();
            return n;
        }));
        var batch = Enumerable.Range(0, 4).Select(i => fixture.Assign("hold", $"{i}")).ToArray();
        fixture.Start(batch);
        await gate.Entered;
        fixture.Executor.GiveBack([.. batch.Take(3).Select(a => new AttemptRef { TaskId = a.TaskId, Attempt = a.Attempt })]);
        Assert.Equal([false, true, true, false], batch.Select(fixture.Sink.IsReturned));
        Assert.Equal(1, fixture.Executor.Waiting);
        gate.Open();
        await fixture.Sink.ResultAsync(batch[0]);
        await fixture.Sink.ResultAsync(batch[3]);
        Assert.Empty(fixture.Sink.Twice);
    }

    [Fact]
    public async Task Drain_returns_the_unstarted_and_waits_for_the_running()
    {
        var shutdown = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var fixture = new ExecutorFixture(
            r => r.MapTask("hold", async (int n, TaskContext context) =>
        {
            shutdown.TrySetResult();
            var drained = new TaskCompletionSource();
            await using var registration = context.ShutdownToken.Register(drained.SetResult);
            await drained.Task.WaitAsync(ExecutorFixture.Limit, context.CancellationToken);
            return n;
        }, new() { Kind = HandlerKind.Cpu }));
        var running = fixture.Assign("hold", "1");
        var waiting = fixture.Assign("hold", "2");
        fixture.Start(running, waiting);
        await shutdown.Task.WaitAsync(ExecutorFixture.Limit, TestContext.Current.CancellationToken);

        fixture.Executor.Drain();
        Assert.True(fixture.Sink.IsReturned(waiting));
        Assert.Equal("1", ExecutorFixture.Text((await fixture.Sink.ResultAsync(running)).Output));
        await fixture.Executor.Drained.WaitAsync(ExecutorFixture.Limit, TestContext.Current.CancellationToken);

        var late = fixture.Assign("hold", "3");
        fixture.Start(late);
        Assert.True(fixture.Sink.IsReturned(late));
    }

    [Fact]
    public async Task An_idle_executor_is_drained_at_once()
    {
        await using var fixture = new ExecutorFixture(_ => { });
        Assert.False(fixture.Executor.Drained.IsCompleted);
        fixture.Executor.Drain();
        await fixture.Executor.Drained.WaitAsync(ExecutorFixture.Limit, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Dispose_cancels_what_runs()
    {
        var gate = new Gate();
        var fixture = new ExecutorFixture(r => r.MapTask("wait", async (int n, CancellationToken ct) =>
        {
            var stopped = new TaskCompletionSource();
            await using var registration = ct.Register(stopped.SetResult);
            _ = gate.PassAsync();
            await stopped.Task;
            ct.ThrowIfCancellationRequested();
        }));
        var assignment = fixture.Assign("wait", "0");
        fixture.Start(assignment);
        await gate.Entered;
        await fixture.DisposeAsync();
        Assert.Equal(Orchestrator.V1.ErrorReason.Cancelled, (await fixture.Sink.ResultAsync(assignment)).Error!.Reason);
        gate.Open();
    }
}
