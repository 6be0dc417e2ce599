using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Client.Tasks;

namespace Orchestrator.Client.Tests.Tasks;

/// <summary>Handles of local tasks, which tests of a program's own code make.</summary>
public sealed class LocalHandleTests
{
    [Fact]
    public async Task An_output_is_a_success()
    {
        var handle = new TaskHandle<int>(Task.FromResult(3), "three", 7);
        Assert.Equal(3, await handle);
        Assert.Equal(("three", 7UL, true), (handle.Handler, handle.Id, handle.IsCompleted));
        var result = await handle.GetResultAsync();
        Assert.Equal((7UL, RunState.Succeeded), (result.TaskId, result.State));
        var last = Assert.Single(await handle.EventsAsync().ToListAsync());
        Assert.Equal(RunState.Succeeded, last.Result!.State);
        Assert.Empty(await handle.ProgressAsync().ToListAsync());
    }

    [Fact]
    public async Task An_exception_is_one_that_the_handler_threw()
    {
        var handle = new TaskHandle<int>(Task.FromException<int>(new InvalidOperationException("no")));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await handle);
        var result = await handle.GetResultAsync();
        Assert.Equal(
            (RunState.Failed, FailureReason.HandlerFailed, "System.InvalidOperationException", "no"),
            (result.State, result.Error!.Reason, result.Error.Type, result.Error.Message));
    }

    [Fact]
    public async Task An_exception_of_the_SDK_keeps_its_result()
    {
        var lost = new RunResult
        {
            TaskId = 4,
            State = RunState.WorkerLost,
            Worker = "worker-1#2",
            Attempt = 3,
            Error = new RunError
            {
                Reason = FailureReason.WorkerLost,
                PostMortem = new WorkerPostMortem { Pid = 12, Signal = "SIGSEGV", LastStderrLines = ["oh"] },
            },
        };
        var handle = new TaskHandle<int>(Task.FromException<int>(new WorkerLostException("it died", lost)));
        var result = await handle.GetResultAsync();
        Assert.Equal(
            ("worker-1#2", 3, 12, "SIGSEGV"),
            (result.Worker, result.Attempt, result.Error!.PostMortem!.Pid, result.Error.PostMortem.Signal));
        Assert.Equal(["oh"], result.Error.PostMortem.LastStderrLines);
        Assert.Null(result.Error.PostMortem.ExitCode);
    }

    [Fact]
    public async Task Cancelling_it_calls_what_the_test_gave()
    {
        var ending = new TaskCompletionSource<int>();
        bool? forced = null;
        var handle = new TaskHandle<int>(ending.Task, cancel: (force, _) =>
        {
            forced = force;
            ending.SetCanceled(CancellationToken.None);
            return Task.CompletedTask;
        });
        Assert.False(handle.IsCompleted);
        Assert.Equal(RunState.Cancelled, (await handle.CancelAsync(force: true)).State);
        Assert.True(forced);
    }

    [Fact]
    public async Task Groups_and_waits_take_it()
    {
        var never = new TaskHandle<int>(new TaskCompletionSource<int>().Task);
        var failed = new TaskHandle<int>(Task.FromException<int>(new InvalidOperationException("no")));
        var waited = await TaskHandles.WaitAsync([never, failed], WaitCondition.FirstFailed);
        Assert.Equal(failed, Assert.Single(waited.Done));
        Assert.Equal(never, Assert.Single(waited.Pending));
        Assert.Equal(failed, await TaskHandles.WhenAny(never, failed));
    }
}
