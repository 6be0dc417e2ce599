using Orchestrator.Client.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class PriorityInversionRow()
    : GuideRow("priority-inversion", "7.3", "a high priority that waits for a low one, which waits for all between")
{
    private const int High = 100;
    private const int Medium = 50;
    private const int Low = 0;
    private const int Flood = 300;
    private const int Samples = 200_000;

    public override async Task RunAsync(GuideContext guide)
    {
        guide.Say("A job of low priority holds a lock and needs one more task to finish. A job of high priority waits for the lock.");
        guide.Say($"Then {Flood} tasks of a medium priority arrive, which need no lock:");
        var (overtaken, waited) = await InvertAsync(guide, "inverted", Low);
        guide.Shows(
            $"inversion: the high one had the lock after {overtaken} of {Flood} medium ones, {GuideContext.Show(waited)}: as if it were " +
            "the lowest of all", overtaken > 0.9 * Flood);
        var (few, less) = await InvertAsync(guide, "inherited", High);
        guide.Shows(
            $"cure: while others wait for its lock, the holder's task runs with the highest priority among them: {few} of {Flood}, " +
            $"{GuideContext.Show(less)}", few < Flood / 2);
        guide.Say("A short critical section under a lock, with nothing in it that has to be scheduled, cannot be inverted at all.");
    }

    /// <param name="guide">The row.</param>
    /// <param name="name">The lock.</param>
    /// <param name="priority">The priority of the holder's remaining task.</param>
    /// <returns>The number of medium tasks done before the high one had the lock, and how long it waited.</returns>
    private static async Task<(int Overtaken, TimeSpan Waited)> InvertAsync(GuideContext guide, string name, int priority)
    {
        await using var low = await guide.OpenSessionAsync("low");
        await using var high = await guide.OpenSessionAsync("high");
        var hold = await low.Lock(guide.Name(name)).AcquireAsync(guide.Token);
        var waiting = high.Lock(guide.Name(name)).AcquireAsync(guide.Token);
        await guide.UntilWaitersAsync($"locks/{guide.Name(name)}", 1);

        // All of them are queued before the low one's task, so that only priorities decide.
        var medium = new TaskSpec
        {
            Handler = "guide_compute",
            Input = Payloads.FromJson($$"""{"samples": {{Samples}}}"""),
            Options = new TaskOptions { Priority = Medium }
        };
        var flood = await guide.Client.Contract.SubmitAsync(Enumerable.Repeat(medium, Flood), guide.Token);
        var step = await guide.Pool.SubmitAsync<RunSpan>(
            "guide_compute", new WorkInput(Samples), new RunOptions { Priority = priority }, guide.Token);
        var waited = await GuideContext.TimeAsync(async () =>
        {
            await step;
            await hold.DisposeAsync();
            await (await waiting).DisposeAsync();
        });
        // By the machine's clock: count the tasks that began before the low one's step.
        var started = (await step).Start;
        var done = (await guide.Client.Contract.WaitAsync(flood, cancellationToken: guide.Token)).Done;
        return (done.Count(result => result.Output.Json.StructValue.Fields["start"].NumberValue < started), waited);
    }
}
