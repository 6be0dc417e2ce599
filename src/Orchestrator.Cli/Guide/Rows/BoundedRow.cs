using Orchestrator.Client.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class BoundedRow() : GuideRow("bounded", "9.4", "a bounded queue: put waits, fails or times out when it is full")
{
    private const int Bound = 10;

    public override async Task RunAsync(GuideContext guide)
    {
        var name = guide.Name("jobs");
        await guide.Client.Contract.CreateQueueAsync(new QueueSpec { Name = name, MaxItems = Bound }, guide.Token);
        await using var session = await guide.OpenSessionAsync();
        var queue = session.Queue(name);
        for (var i = 0; i < Bound; i++)
            await queue.PutAsync(Payloads.FromNumber(i), cancellationToken: guide.Token);
        guide.Say($"The queue holds its {Bound} items. Without a bound, a producer that is faster than its consumers fills the memory.");
        guide.Shows("put(block=False): full, at once", !await queue.TryPutAsync(
            Payloads.FromNumber(Bound), TimeSpan.Zero, cancellationToken: guide.Token));
        var accepted = true;
        var waited = await GuideContext.TimeAsync(async () =>
            accepted = await queue.TryPutAsync(Payloads.FromNumber(Bound), TimeSpan.FromMilliseconds(200), cancellationToken: guide.Token));
        guide.Shows($"put(timeout=200 ms): full, after {GuideContext.Show(waited)}", !accepted && waited >= TimeSpan.FromMilliseconds(190));

        var putting = queue.PutAsync(Payloads.FromNumber(Bound), cancellationToken: guide.Token);
        await guide.UntilAsync(async () => (await guide.Client.Contract.GetQueueAsync(name, guide.Token)).WaitingPutters == 1);
        guide.Shows("put(): waits for room", !putting.IsCompleted);
        await guide.Pool.RunAsync<int[]>("consume", new { queue = name, count = 1 }, cancellationToken: guide.Token);
        await putting;
        guide.Shows("a task in a worker took one item, and the put went through",
            (await guide.Client.Contract.GetQueueAsync(name, guide.Token)).ReadyItems == Bound);
    }
}
