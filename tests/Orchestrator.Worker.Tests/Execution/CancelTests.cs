using Google.Protobuf.WellKnownTypes;
using Orchestrator.V1;
using Orchestrator.Worker.Payloads;
using Orchestrator.Worker.Tasks;
using Orchestrator.Worker.V1;
using HandlerKind = Orchestrator.Worker.Tasks.HandlerKind;

namespace Orchestrator.Worker.Tests.Execution;

public sealed class CancelTests
{
    [Fact]
    public async Task What_has_not_started_ends_before_start()
    {
        var gate = new Gate();
        await using var fixture = new ExecutorFixture(r =>
        {
            r.MapTask("hold", (int _) =>
            {
                gate.Block();
                return 0;
            });
            r.MapTask("never", int (int _) => throw new InvalidOperationException("It was cancelled."));
        });
        var first = fixture.Assign("hold", "0");
        var second = fixture.Assign("never", "0");
        fixture.Start(first, second);
        await gate.Entered;
        fixture.Executor.Cancel(second.TaskId, 1);
        var error = (await fixture.Sink.ResultAsync(second)).Error!;
        Assert.Equal(ErrorReason.Cancelled, error.Reason);
        Assert.Equal(CancelRung.BeforeStart, error.Rung);
        gate.Open();
        Assert.Null((await fixture.Sink.ResultAsync(first)).Error);
    }

    [Theory]
    [InlineData(HandlerKind.Cpu)]
    [InlineData(HandlerKind.Io)]
    [InlineData(HandlerKind.Blocking)]
    public async Task What_runs_gets_its_token(HandlerKind kind)
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var fixture = new ExecutorFixture(r => r.MapTask("wait", async (int _, CancellationToken ct) =>
        {
            entered.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
            return 0;
        }, new() { Kind = kind }));
        var assignment = fixture.Assign("wait", "0");
        fixture.Start(assignment);
        await entered.Task.WaitAsync(ExecutorFixture.Limit, TestContext.Current.CancellationToken);
        fixture.Executor.Cancel(assignment.TaskId, 1);
        var error = (await fixture.Sink.ResultAsync(assignment)).Error!;
        Assert.Equal(ErrorReason.Cancelled, error.Reason);
        Assert.Equal(CancelRung.Cooperative, error.Rung);
    }

    [Fact]
    public async Task A_token_asked_for_after_the_cancel_has_fired()
    {
        var gate = new Gate();
        await using var fixture = new ExecutorFixture(r => r.MapTask("late", (TaskPayload payload, TaskContext context) =>
        {
            gate.Block();
            context.CancellationToken.ThrowIfCancellationRequested();
            return payload;
        }));
        var assignment = fixture.Assign("late");
        fixture.Start(assignment);
        await gate.Entered;
        fixture.Executor.Cancel(assignment.TaskId, 1);
        gate.Open();
        Assert.Equal(ErrorReason.Cancelled, (await fixture.Sink.ResultAsync(assignment)).Error!.Reason);
    }

    [Fact]
    public async Task A_callback_on_the_token_does_not_run_on_the_cancelling_thread()
    {
        var gate = new Gate();
        var callbackThread = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var fixture = new ExecutorFixture(
            r => r.MapTask("wait", async (int _, CancellationToken ct) =>
        {
            await using var registration = ct.Register(() => callbackThread.TrySetResult(Environment.CurrentManagedThreadId));
            await gate.PassAsync();
            return 0;
        }));
        var assignment = fixture.Assign("wait", "0");
        fixture.Start(assignment);
        await gate.Entered;
        var caller = 0;
        using var stay = new ManualResetEventSlim();
        var thread = new Thread(() =>
        {
            caller = Environment.CurrentManagedThreadId;
            fixture.Executor.Cancel(assignment.TaskId, 1);
            stay.Wait(ExecutorFixture.Limit);
        });
        thread.Start();
        var ran = await callbackThread.Task.WaitAsync(ExecutorFixture.Limit, TestContext.Current.CancellationToken);
        stay.Set();
        Assert.True(thread.Join(ExecutorFixture.Limit));
        Assert.NotEqual(caller, ran);
        gate.Open();
    }

    /// <summary>
    /// A cancellation at any point of an attempt's life is neither lost nor answered twice: the handler can only end by its token.
    /// </summary>
    [Theory]
    [InlineData(HandlerKind.Cpu)]
    [InlineData(HandlerKind.Io)]
    [InlineData(HandlerKind.Blocking)]
    public async Task A_cancel_is_never_lost(HandlerKind kind)
    {
        await using var fixture = new ExecutorFixture(r => r.MapTask("wait", async (TaskPayload payload, TaskContext context) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.CancellationToken);
            return payload;
        }, new() { Kind = kind }));
        for (var i = 0; i < 2000; i++)
        {
            var assignment = fixture.Assign("wait");
            fixture.Start(assignment);
            if (i % 2 == 0)
                Thread.SpinWait(i % 500);
            fixture.Executor.Cancel(assignment.TaskId, 1);
            var result = await fixture.Sink.ResultAsync(assignment);
            Assert.Equal(ErrorReason.Cancelled, result.Error!.Reason);
            Assert.NotEqual(CancelRung.Unspecified, result.Error.Rung);
        }

        Assert.Empty(fixture.Sink.Twice);
        Assert.Equal(0, fixture.Executor.Waiting);
        Assert.Equal(0, fixture.Executor.Running);
    }

    /// <summary>Cancellation, return and the end of short tasks race: each attempt is reported exactly once.</summary>
    [Theory]
    [InlineData(HandlerKind.Cpu)]
    [InlineData(HandlerKind.Io)]
    [InlineData(HandlerKind.Blocking)]
    public async Task Every_attempt_is_reported_exactly_once(HandlerKind kind)
    {
        await using var fixture = new ExecutorFixture(r => r.MapTask("echo", (TaskPayload payload) => payload, new() { Kind = kind }));
        for (var round = 0; round < 300; round++)
        {
            var batch = Enumerable.Range(0, 16).Select(_ => fixture.Assign("echo")).ToArray();
            fixture.Start(batch);
            var cancel = Task.Run(
                () =>
                {
                    foreach (var assignment in batch)
                        fixture.Executor.Cancel(assignment.TaskId, 1);
                },
                TestContext.Current.CancellationToken);
            fixture.Executor.GiveBack([.. batch.Select(a => new AttemptRef { TaskId = a.TaskId, Attempt = 1 })]);
            await cancel;
            foreach (var assignment in batch)
            {
                await fixture.Sink.EndAsync(assignment);
                Assert.NotEqual(fixture.Sink.IsDone(assignment), fixture.Sink.IsReturned(assignment));
            }
        }

        Assert.Empty(fixture.Sink.Twice);
        Assert.Equal(0, fixture.Executor.Waiting);
        Assert.Equal(0, fixture.Executor.Running);
    }

    [Fact]
    public async Task A_run_timeout_fires_the_token_and_gives_the_reason()
    {
        await using var fixture = new ExecutorFixture(
            r => r.MapTask("wait", async (int _, CancellationToken ct) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
            return 0;
        }));
        var assignment = fixture.Assign("wait", "0");
        assignment.RunTimeout = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(20));
        var error = (await fixture.RunAsync(assignment)).Error!;
        Assert.Equal(ErrorReason.RunTimeout, error.Reason);
        Assert.Equal(CancelRung.Cooperative, error.Rung);
        Assert.Contains("0.02 s", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancellation_of_the_handlers_own_is_a_failure()
    {
        await using var fixture = new ExecutorFixture(
            r => r.MapTask("own", int (int _) => throw new OperationCanceledException("my own")));
        var error = (await fixture.RunAsync("own", "0")).Error!;
        Assert.Equal(ErrorReason.HandlerFailed, error.Reason);
        Assert.Equal("System.OperationCanceledException", error.Type);
    }

    [Fact]
    public async Task Cancelling_the_unknown_or_the_ended_does_nothing()
    {
        await using var fixture = new ExecutorFixture(r => r.MapTask("quick", (int n) => n));
        fixture.Executor.Cancel(4711, 1);
        var assignment = fixture.Assign("quick", "1");
        await fixture.RunAsync(assignment);
        fixture.Executor.Cancel(assignment.TaskId, 1);
        Assert.Empty(fixture.Sink.Twice);
    }
}
