using Orchestrator.Client;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Client.Tasks;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Integration.Tests.Sdk;

/// <summary>Handles: awaiting, cancelling, waiting for several, groups, and the exception of each end.</summary>
public sealed class TaskHandleTests(SdkFixture fixture) : IClassFixture<SdkFixture>
{
    private OrchestratorClient Client => fixture.Client;

    [Fact]
    public async Task A_handle_is_awaited_for_its_output_and_knows_its_id()
    {
        var handle = await Client.SubmitAsync<string>("echo", "hello").Soon();
        Assert.NotEqual(0UL, handle.Id);
        Assert.Equal("hello", await handle);
        Assert.Equal("hello", await handle.Soon());
        Assert.Equal("echo", (await Client.Contract.GetTaskAsync(handle.Id)).Handler);
    }

    [Fact]
    public async Task Values_cross_as_they_are()
    {
        Assert.Equal(long.MaxValue, await Client.RunAsync<long>("echo", long.MaxValue).Soon());
        Assert.Equal(0.5, await Client.RunAsync<double>("echo", 0.5).Soon());
        Assert.Equal(new Pair("é", [1, 2]), await Client.RunAsync<Pair>("echo", new Pair("é", [1, 2])).Soon(), PairComparer);
        Assert.Equal(new byte[] { 1, 2, 255 }, await Client.RunAsync<byte[]>("echo", new byte[] { 1, 2, 255 }).Soon());
        Assert.Null(await Client.RunAsync<string?>("echo").Soon());
        Assert.Equal(832040, await Client.RunAsync<long>("fibonacci", new { n = 30 }).Soon());
    }

    [Fact]
    public async Task A_handler_that_throws_is_a_remote_task_exception()
    {
        var error = await Assert.ThrowsAsync<TaskFailedException>(() => Client.RunAsync<int>("throw", new { message = "no luck" }).Soon());
        Assert.Equal(FailureReason.HandlerFailed, error.Reason);
        Assert.Contains("no luck", error.RemoteMessage, StringComparison.Ordinal);
        Assert.NotEmpty(error.RemoteType);
        Assert.Contains("Throw", error.RemoteStackTrace, StringComparison.Ordinal);
        Assert.StartsWith("worker-", error.Worker, StringComparison.Ordinal);
        Assert.Equal(1, error.Attempt);
    }

    [Fact]
    public async Task Retries_are_counted_in_the_exception()
    {
        var options = new RunOptions { Retry = new RetryOptions { MaxAttempts = 3, InitialBackoff = TimeSpan.FromMilliseconds(1) } };
        var error = await Assert.ThrowsAsync<TaskFailedException>(
            () => Client.RunAsync<int>("throw", new { message = "no" }, options).Soon());
        Assert.Equal(3, error.Attempt);
        error = await Assert.ThrowsAsync<TaskFailedException>(
            () => Client.RunAsync<int>("throw", new { message = "no" }, options with { Retry = null }).Soon());
        Assert.Equal(1, error.Attempt);
    }

    [Fact]
    public async Task A_dead_worker_is_a_worker_lost_exception_with_its_post_mortem()
    {
        var error = await Assert.ThrowsAsync<WorkerLostException>(() => Client.RunAsync<int>("exit", new { code = 42 }).Soon());
        Assert.Equal(42, error.PostMortem!.ExitCode);
        Assert.Equal(FailureReason.WorkerLost, error.Reason);
    }

    [Fact]
    public async Task A_passed_timeout_is_a_task_timeout_exception()
    {
        var error = await Assert.ThrowsAsync<TaskTimeoutException>(() => Client.RunAsync<int>(
            "sleep", new { ms = 600_000 }, new RunOptions { RunTimeout = TimeSpan.FromMilliseconds(50) }).Soon());
        Assert.Equal((FailureReason.RunTimeout, CancelStage.Cooperative), (error.Reason, error.Rung));
    }

    [Fact]
    public async Task An_unknown_handler_and_wrong_input_are_told_by_their_reasons()
    {
        var unknown = await Assert.ThrowsAsync<TaskFailedException>(() => Client.RunAsync<int>("fibonaci").Soon());
        Assert.Equal(FailureReason.HandlerNotFound, unknown.Reason);
        Assert.Contains("'fibonacci'", unknown.Message, StringComparison.Ordinal);
        var wrong = await Assert.ThrowsAsync<TaskFailedException>(() => Client.RunAsync<int>("fibonacci", new { n = "x" }).Soon());
        Assert.Equal(FailureReason.Invalid, wrong.Reason);
        var handle = await Client.SubmitAsync<int>("fibonacci", new { n = 1 }, new RunOptions { DependsOn = [ulong.MaxValue >> 8] }).Soon();
        Assert.Equal(FailureReason.NotFound, (await Assert.ThrowsAsync<TaskFailedException>(() => handle.Soon())).Reason);
    }

    [Fact]
    public async Task Cancel_answers_with_how_the_task_ended()
    {
        var running = await Client.SubmitAsync<int>("sleep", new { ms = 600_000 }).Soon();
        await running.UntilRunningAsync().Soon();
        var end = await running.CancelAsync().Soon();
        Assert.Equal((RunState.Cancelled, CancelStage.Cooperative), (end.State, end.Error!.Rung));
        var error = await Assert.ThrowsAsync<RemoteTaskCanceledException>(() => running.Soon());
        Assert.Equal(running.Id, error.TaskId);
        var done = await Client.SubmitAsync<string>("echo", "x").Soon();
        await done;
        Assert.Equal(RunState.Succeeded, (await done.CancelAsync().Soon()).State);
    }

    [Fact]
    public async Task Cancelling_the_wait_of_a_run_cancels_the_task()
    {
        var before = (await Client.Contract.GetStatusAsync()).Tasks.Cancelled;
        using var cancelling = new CancellationTokenSource();
        var running = Client.RunAsync<int>("sleep", new { ms = 600_000 },
            new RunOptions { Labels = new Dictionary<string, string> { ["test"] = "run" } }, cancelling.Token);
        await UntilAsync(async () => (await Client.Contract.GetStatusAsync()).Tasks.Running > 0);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.Soon());
        await UntilAsync(async () => (await Client.Contract.GetStatusAsync()).Tasks.Cancelled > before);
    }

    [Fact]
    public async Task Waits_answer_with_what_is_done_and_what_is_pending()
    {
        var slow = await Client.SubmitAsync<int>("sleep", new { ms = 600_000 }).Soon();
        var quick = await Client.SubmitAsync<int>("sleep", new { ms = 0 }).Soon();
        var first = await TaskHandles.WaitAsync([slow, quick], WaitCondition.FirstCompleted).Soon();
        Assert.Same(quick, Assert.Single(first.Done));
        Assert.Same(slow, Assert.Single(first.Pending));
        Assert.Same(quick, await TaskHandles.WhenAny(slow, quick).Soon());
        var looked = await TaskHandles.WaitAsync([slow], timeout: TimeSpan.Zero).Soon();
        Assert.Empty(looked.Done);
        var failing = await Client.SubmitAsync<int>("throw", new { message = "no" }).Soon();
        var failed = await TaskHandles.WaitAsync([slow, failing], WaitCondition.FirstFailed).Soon();
        Assert.Same(failing, Assert.Single(failed.Done));
        await slow.CancelAsync().Soon();
        var quicks = await Task.WhenAll(Enumerable.Range(0, 5).Select(i => Client.SubmitAsync<int>("echo", i))).Soon();
        Assert.Equal(Enumerable.Range(0, 5), await TaskHandles.WhenAll(quicks).Soon());
        var seen = new List<int>();
        await foreach (var ended in TaskHandles.AsCompleted(quicks))
            seen.Add(await ended);
        Assert.Equal([0, 1, 2, 3, 4], seen.Order());
    }

    [Fact]
    public async Task A_group_cancels_the_rest_when_one_fails_and_leaves_none_running()
    {
        TaskHandle<int>? slow = null;
        var bodyCancelled = false;
        var error = await Assert.ThrowsAsync<AggregateException>(() => Client.RunGroupAsync(async group =>
        {
            slow = await group.SubmitAsync<int>("sleep", new { ms = 600_000 });
            await slow.UntilRunningAsync();
            await group.SubmitAsync<int>("throw", new { message = "no luck" });
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, group.Cancellation);
            }
            catch (OperationCanceledException)
            {
                bodyCancelled = true;
            }
        }).Soon());
        Assert.Contains(
            "no luck", Assert.IsType<TaskFailedException>(Assert.Single(error.InnerExceptions)).Message, StringComparison.Ordinal);
        Assert.True(bodyCancelled);
        Assert.Equal(RunState.Cancelled, (await slow!.GetResultAsync().Soon()).State);
    }

    [Fact]
    public async Task A_group_returns_when_all_have_ended_and_an_exception_of_its_body_cancels_them()
    {
        var sum = 0;
        await Client.RunGroupAsync(async group =>
        {
            var handles = new List<TaskHandle<int>>();
            for (var i = 1; i <= 10; i++)
                handles.Add(await group.SubmitAsync<int>("echo", i));
            sum = (await TaskHandles.WhenAll(handles)).Sum();
        }).Soon();
        Assert.Equal(55, sum);
        TaskHandle<int>? left = null;
        var error = await Assert.ThrowsAsync<AggregateException>(() => Client.RunGroupAsync(async group =>
        {
            left = await group.SubmitAsync<int>("sleep", new { ms = 600_000 });
            throw new InvalidOperationException("mine");
        }).Soon());
        Assert.Equal("mine", Assert.Single(error.InnerExceptions).Message);
        Assert.Equal(RunState.Cancelled, (await left!.GetResultAsync().Soon()).State);
    }

    [Fact]
    public async Task The_same_request_id_joins_the_first_submission()
    {
        var options = new RunOptions { RequestId = Guid.NewGuid().ToString("N") };
        var first = await Client.SubmitAsync<int>("sleep", new { ms = 600_000 }, options).Soon();
        var second = await Client.SubmitAsync<int>("sleep", new { ms = 600_000 }, options).Soon();
        Assert.Equal(first.Id, second.Id);
        await first.CancelAsync().Soon();
        Assert.Equal(RunState.Cancelled, (await second.GetResultAsync().Soon()).State);
    }

    private static readonly IEqualityComparer<Pair> PairComparer =
        EqualityComparer<Pair>.Create((a, b) => a!.Name == b!.Name && a.Numbers.SequenceEqual(b.Numbers));

    private sealed record Pair(string Name, int[] Numbers);
}
