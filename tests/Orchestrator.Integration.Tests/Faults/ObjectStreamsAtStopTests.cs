using Grpc.Core;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>
/// A coordinator that stops while streams of shared objects are open: each ends with a clear error, and none delays the stop.
/// </summary>
public sealed class ObjectStreamsAtStopTests
{
    [Fact]
    public async Task Consume_Produce_AttachPipe_and_Connect_end_with_DRAINING()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
        var pipes = new PipeService.PipeServiceClient(coordinator.Invoker);
        foreach (var name in new[] { "empty", "full" })
            await queues.CreateQueueAsync(
                new CreateQueueRequest { Spec = new QueueSpec { Name = name, Kind = QueueKind.Fifo, MaxItems = 1 } }, Soon);
        await pipes.CreatePipeAsync(new CreatePipeRequest { Spec = new PipeSpec { Name = "pipe", Duplex = true } }, Soon);

        // Each of them waits, as the service itself reports.
        using var consume = queues.Consume(Soon);
        await consume.RequestStream.WriteAsync(new ConsumeRequest { Queue = "empty", Leased = true, Credits = 10 });
        using var produce = queues.Produce(Soon);
        await produce.RequestStream.WriteAsync(new ProduceRequest { Queue = "full", Items = { Item("a"), Item("b") } });
        using var attached = pipes.AttachPipe(Soon);
        await attached.RequestStream.WriteAsync(new AttachPipeRequest { Pipe = "pipe", End = PipeEnd.A });
        using var connect = coordinator.Sessions.Connect(Soon);
        await connect.RequestStream.WriteAsync(
            new ConnectRequest
            {
                Operations =
                { new Operation { OperationId = 1, WaitEvent = new WaitEventRequest { Event = "never" } } }
            });
        await UntilAsync(async () =>
            (await queues.GetQueueAsync(new GetQueueRequest { Queue = "empty" }, Soon)).Queue.WaitingGetters == 1
            && (await queues.GetQueueAsync(new GetQueueRequest { Queue = "full" }, Soon)).Queue.WaitingPutters == 1
            && (await pipes.ListPipesAsync(new ListPipesRequest(), Soon)).Pipes.Single().AAttached
            && (await coordinator.Admin.ExplainWaitsAsync(new ExplainWaitsRequest(), Soon)).Edges.Any(edge =>
                edge.Object == "events/never"));

        coordinator.Terminate();
        await EndsAsync(consume.ResponseStream);
        await EndsAsync(produce.ResponseStream);
        await EndsAsync(attached.ResponseStream);
        await EndsAsync(connect.ResponseStream);
        Assert.Equal(0, await coordinator.WaitForExitAsync());
    }

    [Fact]
    public async Task Waits_of_unary_calls_end_with_DRAINING()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
        await queues.CreateQueueAsync(new CreateQueueRequest { Spec = new QueueSpec { Name = "empty" } }, Soon);
        var get = queues.GetAsync(new GetRequest { Queue = "empty" }, Soon);
        var wait = coordinator.Sync.WaitEventAsync(new WaitEventRequest { Event = "never" }, Soon);
        var latch = coordinator.Sync.WaitLatchAsync(
            new WaitLatchRequest { Latch = "never", Count = 1, Timeout = Specs.Seconds(3600) }, Soon);
        await UntilAsync(async () => (await coordinator.Admin.ExplainWaitsAsync(new ExplainWaitsRequest(), Soon)).Edges.Count == 3);

        coordinator.Terminate();
        await RefusesAsync(get, StatusCode.Unavailable, "DRAINING", "the coordinator stops");
        await RefusesAsync(wait, StatusCode.Unavailable, "DRAINING", "the coordinator stops");
        await RefusesAsync(latch, StatusCode.Unavailable, "DRAINING", "the coordinator stops");
        Assert.Equal(0, await coordinator.WaitForExitAsync());
    }

    private static QueueItem Item(string text) => new() { Body = Text(text) };

    /// <summary>What was in flight is still delivered; then comes the error.</summary>
    private static async Task EndsAsync<T>(IAsyncStreamReader<T> stream)
    {
        var error = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await stream.MoveNext(TestContext.Current.CancellationToken))
            {
            }
        });
        Check(error, StatusCode.Unavailable, "DRAINING", "the coordinator stops");
    }
}
