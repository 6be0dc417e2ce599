using Orchestrator.Client.Errors;
using Orchestrator.Client.Tasks;
using Orchestrator.Protocol;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class BestPracticesRow()
    : GuideRow("best-practices", "12", "limits, errors, timeouts, names, and ids instead of large objects")
{
    public override async Task RunAsync(GuideContext guide)
    {
        guide.Say("Limit concurrency: a map reads its inputs only as fast as its results are taken. Over an endless input, 50 at a time:");
        var read = 0;
        var taken = await guide.Pool.MapAsync<int, int>("echo", Endless(), new MapOptions { MaxInFlight = 50 }, guide.Token).Take(200)
            .CountAsync(guide.Token);
        guide.Shows($"{taken} results were taken, {read} inputs read", taken == 200 && read <= 500);

        guide.Say("Handle errors: a failed task reports its handler's exception, the stack trace, and the process.");
        var failure = await FailureAsync<TaskFailedException>(
            guide.Pool.RunAsync<int>("guide_throw", "disk full", cancellationToken: guide.Token));
        guide.Shows($"{failure?.RemoteType}: {failure?.RemoteMessage}, in {failure?.Worker}",
            failure is { RemoteMessage: "disk full", RemoteStackTrace.Length: > 0 });

        guide.Say("Use timeouts: they end the task, not only the wait for it.");
        var timeout = await FailureAsync<TaskTimeoutException>(guide.Pool.RunAsync<int>(
            "sleep", new { ms = 60_000 }, new RunOptions { RunTimeout = TimeSpan.FromMilliseconds(100) }, guide.Token));
        guide.Shows(timeout?.Message ?? "", timeout is not null);

        guide.Say("Give names: lists then show holders and waiters by what they do.");
        await using var holder = await guide.OpenSessionAsync("nightly-import");
        await using var waiter = await guide.OpenSessionAsync("report-17");
        var hold = await holder.Lock(guide.Name("table")).AcquireAsync(guide.Token);
        var waiting = waiter.Lock(guide.Name("table")).AcquireAsync(guide.Token);
        await guide.UntilWaitersAsync($"locks/{guide.Name("table")}", 1);
        var wait = (await guide.Client.Contract.ExplainWaitsAsync(guide.Token)).FirstOrDefault(
            edge => edge.WaiterName.Contains("report-17", StringComparison.Ordinal));
        guide.Shows($"`orchestrator waits`: {wait?.WaiterName} waits at {wait?.Object} for {wait?.HolderName}", wait?.HolderName.Contains(
            "nightly-import", StringComparison.Ordinal) == true);
        await hold.DisposeAsync();
        await (await waiting).DisposeAsync();

        guide.Say("Send ids instead of large objects. A payload has a limit, and says so:");
        var tooLarge = await FailureAsync<OrchestratorException>(
            guide.Pool.RunAsync(
                TaskFunction.Bytes("echo"), (ReadOnlyMemory<byte>)new byte[ProtocolConstants.DefaultPayloadBytes + 1],
                cancellationToken: guide.Token));
        guide.Shows(tooLarge?.Message ?? "", tooLarge is not null);
        var large = await TimeAsync(guide, new byte[2_000_000]);
        var id = await TimeAsync(guide, "id-42"u8.ToArray());
        guide.Shows($"2 MB there and back: {GuideContext.Show(large)}; an id: {GuideContext.Show(id)}", id < large);

        IEnumerable<int> Endless()
        {
            while (true)
                yield return read++;
        }
    }

    private static Task<TimeSpan> TimeAsync(GuideContext guide, ReadOnlyMemory<byte> bytes) => GuideContext.TimeAsync(async () =>
    {
        for (var i = 0; i < 5; i++)
            await guide.Pool.RunAsync(TaskFunction.Bytes("echo"), bytes, cancellationToken: guide.Token);
    });

    private static async Task<T?> FailureAsync<T>(Task task)
        where T : Exception
    {
        try
        {
            await task;
            return null;
        }
        catch (T exception)
        {
            return exception;
        }
    }
}
