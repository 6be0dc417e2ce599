using Orchestrator.Client.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class PriorityRow() : GuideRow("priority", "9.3", "a priority queue: the smallest number first")
{
    public override async Task RunAsync(GuideContext guide)
    {
        await guide.Client.Contract.CreateQueueAsync(new QueueSpec { Name = guide.Name("jobs"), Kind = QueueKind.Priority }, guide.Token);
        await using var session = await guide.OpenSessionAsync();
        var queue = session.Queue(guide.Name("jobs"));
        await queue.PutAsync(Payloads.FromText("high"), priority: 1, guide.Token);
        await queue.PutAsync(Payloads.FromText("low"), priority: 3, guide.Token);
        await queue.PutAsync(Payloads.FromText("medium"), priority: 2, guide.Token);
        // Python compares the items themselves where the priorities are equal, and raises TypeError where they cannot be compared.
        await queue.PutAsync(Payloads.FromJson("""{"also": "medium"}"""), priority: 2, guide.Token);
        guide.Say(
            "Put: high (1), low (3), medium (2), and an object that cannot be compared, of priority 2 as well. A task in a worker takes " +
            "them all:");
        var taken = await guide.Pool.RunAsync<object[]>(
            "consume", new { queue = guide.Name("jobs"), count = 4 }, cancellationToken: guide.Token);
        guide.Say(string.Join(" · ", taken));
        guide.Shows("high comes before medium before low", taken.Select(item => $"{item}").Where(item => !item.StartsWith('{'))
            .SequenceEqual(["high", "medium", "low"]));
        guide.Shows("equal priorities come in the order of arrival; payloads are never compared", $"{taken[1]}" == "medium"
            && $"{taken[2]}".Contains("also", StringComparison.Ordinal));
    }
}
