using System.Globalization;
using Google.Protobuf;
using Orchestrator.Client;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Load;

/// <summary>What shared objects took is free for others when they are gone.</summary>
public sealed class ObjectMemoryTests
{
    [Fact]
    public async Task A_million_queued_items_again_and_again_take_the_room_of_once()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        await RunAsync(coordinator, 100_000);
        var before = Measure(coordinator);
        var first = await RunAsync(coordinator, 1_000_000);
        var last = first;
        for (var i = 0; i < 4; i++)
            last = await RunAsync(coordinator, 1_000_000);
        var after = Measure(coordinator);
        TestContext.Current.TestOutputHelper?.WriteLine($"before: {before}; full: {first}; full for the fifth time: {last}; after: {after}");
        Assert.InRange(first.Rss, before.Rss + 64_000_000, long.MaxValue);
        Assert.InRange(after.Handles, 0, before.Handles + 10);
        // An idle heap keeps its pages until it is collected the next time. Five million items that leaked would be five times what one million took.
        Assert.InRange(last.Rss - before.Rss, 0, 2 * (first.Rss - before.Rss));
    }

    /// <summary>Puts so many items and deletes the queue; what it took while it was full.</summary>
    private static async Task<Usage> RunAsync(CoordinatorProcess coordinator, int count)
    {
        await using var client = await OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { DataDirectory = coordinator.DataDirectory });
        await using var session = await client.OpenSessionAsync("producer");
        await client.CreateQueueAsync(new QueueSpec { Name = "items", MaxItems = count, MaxBytes = 1L << 30 });
        await session.Queue("items").PutAllAsync(Enumerable.Range(0, count).Select(_ => new Payload { Data = ByteString.CopyFrom(new byte[64]) }));
        Assert.Equal(count, (await client.GetQueueAsync("items")).ReadyItems);
        var full = Measure(coordinator);
        await client.DeleteQueueAsync("items");
        return full;
    }

    private static Usage Measure(CoordinatorProcess coordinator)
    {
        var line = File.ReadLines($"/proc/{coordinator.Pid}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        var kilobytes = long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        return new Usage(kilobytes * 1024, Directory.GetFiles($"/proc/{coordinator.Pid}/fd").Length);
    }

    private sealed record Usage(long Rss, int Handles)
    {
        public override string ToString() => $"{Rss / 1_000_000} MB, {Handles} handles";
    }
}
