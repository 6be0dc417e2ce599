using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Client.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class AsyncRow() : GuideRow("async", "6", "gather, as_completed, wait_for, create_task, cancel, over processes")
{
    public override async Task RunAsync(GuideContext guide)
    {
        var token = guide.Token;
        var one = new { ms = 300 };
        var fetched = Array.Empty<int>();
        var took = await GuideContext.TimeAsync(async () => fetched = await TaskHandles.WhenAll(
            await guide.Pool.SubmitAsync<int>("sleep", one, cancellationToken: token),
            await guide.Pool.SubmitAsync<int>("sleep", one, cancellationToken: token),
            await guide.Pool.SubmitAsync<int>("sleep", one, cancellationToken: token)));
        guide.Say($"gather: three tasks that wait 300 ms each took {GuideContext.Show(took)} together.");
        guide.Shows("they waited at the same time", fetched is [300, 300, 300] && took < TimeSpan.FromMilliseconds(900));

        var handles = new List<TaskHandle<int>>();
        foreach (var ms in (int[])[300, 150, 0])
            handles.Add(await guide.Pool.SubmitAsync<int>("sleep", new { ms }, cancellationToken: token));
        var completed = new List<int>();
        await foreach (var handle in TaskHandles.AsCompleted(handles, token))
            completed.Add(await handle);
        guide.Shows($"as_completed over tasks of 300, 150 and 0 ms: {GuideContext.List(completed)}, each as soon as it was there",
            completed is [0, 150, 300]);

        var inTime = await Task.WhenAny(
            guide.Pool.RunAsync<int>("sleep", new { ms = 60_000 }, new RunOptions { RunTimeout = TimeSpan.FromMilliseconds(200) }, token));
        var timeout = inTime.Exception?.InnerException as TaskTimeoutException;
        guide.Shows($"wait_for: {timeout?.Message}", timeout is { Rung: CancelStage.Cooperative });

        var background = await guide.Pool.SubmitAsync<int>("sleep", new { ms = 60_000 }, cancellationToken: token);
        await guide.UntilAsync(async () => (await guide.Client.Contract.GetTaskAsync(background.Id, token)).State == TaskState.Running);
        guide.Say("create_task: a task runs in the background, while this program does something else.");
        RunResult? ended = null;
        var cancelled = await GuideContext.TimeAsync(async () => ended = await background.CancelAsync(cancellationToken: token));
        guide.Shows($"cancel, and await the cancellation: {ended!.State} after {GuideContext.Show(cancelled)}, cooperatively",
            ended is { State: RunState.Cancelled, Error.Rung: CancelStage.Cooperative });

        guide.Say(
            "A task group, like asyncio.TaskGroup: it ends only when all its tasks have ended, and the first failure cancels the rest.");
        TaskHandle<int>? neighbour = null;
        try
        {
            await guide.Pool.RunGroupAsync(
                async group =>
                {
                    neighbour = await group.SubmitAsync<int>("sleep", new { ms = 60_000 });
                    await group.SubmitAsync<int>("guide_throw", "no data");
                },
                token);
            guide.Shows("the group fails", false);
        }
        catch (AggregateException failures)
        {
            guide.Shows($"the failure comes out: {failures.InnerExceptions[0].Message}", failures.InnerExceptions is [TaskFailedException]);
            guide.Shows("its neighbour of 60 s was cancelled", (await neighbour!.GetResultAsync()).State == RunState.Cancelled);
        }
    }
}
