using System.Diagnostics;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Journal;

/// <summary>
/// The duration of a start with much to restore. Run by hand, since it depends on the machine: <c>-explicit only -class
/// "*RestartTimeTests"</c>.
/// </summary>
public sealed class RestartTimeTests : IDisposable
{
    private const int Items = 1_000_000;
    private const int Batch = 2_000;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly string _directory = Directory.CreateTempSubdirectory("orchestrator-journal-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact(Explicit = true)]
    public async Task A_million_durable_items_are_there_in_time()
    {
        await using (var coordinator = await StartAsync())
        {
            var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
            await queues.CreateQueueAsync(
                new CreateQueueRequest
                {
                    Spec =
                    new QueueSpec { Name = "many", MaxItems = Items, MaxBytes = 1L << 30, Durability = Durability.Process }
                }, Soon);
            var put = new PutRequest { Queue = "many" };
            for (var i = 0; i < Batch; i++)
                put.Items.Add(new QueueItem { Body = new Payload { Data = Google.Protobuf.ByteString.CopyFrom(new byte[64]) } });
            for (var i = 0; i < Items; i += Batch)
                await queues.PutAsync(put, Soon);
            await coordinator.KillAndWaitAsync();
        }

        var watch = Stopwatch.StartNew();
        await using var next = await StartAsync();
        var took = watch.Elapsed;
        var info = await new QueueService.QueueServiceClient(next.Invoker).GetQueueAsync(new GetQueueRequest { Queue = "many" }, Soon);
        Assert.Equal(Items, info.Queue.ReadyItems);
        TestContext.Current.TestOutputHelper!.WriteLine($"{Items:N0} items after {took.TotalSeconds:0.00} s");
        Assert.InRange(took, TimeSpan.Zero, Limit);
    }

    private Task<CoordinatorProcess> StartAsync() => CoordinatorProcess.StartInAsync(_directory, "--workers", "0", "--hot-spares", "0");
}
