using Grpc.Core;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Scenarios.Objects;

/// <summary>Part 5, 27: the first message of every stream may only name the stream's object; the rest may follow.</summary>
public sealed class OpeningMessageTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    private QueueService.QueueServiceClient Queues => new(_coordinator.Invoker);

    [Fact]
    public void Every_stream_of_a_client_is_tested_here()
    {
        var methods = new[] { TasksReflection.Descriptor, QueuesReflection.Descriptor, PipesReflection.Descriptor,
            StateReflection.Descriptor, SyncReflection.Descriptor, SessionsReflection.Descriptor, AdminReflection.Descriptor }
            .SelectMany(file => file.Services).SelectMany(service => service.Methods).Where(method => method.IsClientStreaming)
            .Select(method => method.Name);
        Assert.Equal(["AttachPipe", "Connect", "Consume", "Produce", "StreamTasks"], methods.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Produce_opens_with_the_queue_alone_and_says_how_far_it_is()
    {
        var queue = await CreateQueueAsync();
        using var call = Queues.Produce(Soon);
        await call.RequestStream.WriteAsync(new ProduceRequest { Queue = queue });
        Assert.Equal(new ProduceResponse { Status = WaitStatus.Ok }, await ReadAsync(call.ResponseStream));
        await call.RequestStream.WriteAsync(
            new ProduceRequest { Items = { new QueueItem { Body = Text("1") }, new QueueItem { Body = Text("2") } } });
        Assert.Equal(new ProduceResponse { AcceptedTotal = 2, Status = WaitStatus.Ok }, await ReadAsync(call.ResponseStream));
        await call.RequestStream.WriteAsync(new ProduceRequest());
        Assert.Equal(2, (await ReadAsync(call.ResponseStream)).AcceptedTotal);
        await Queues.ShutDownQueueAsync(new ShutDownQueueRequest { Queue = queue }, Soon);
        await call.RequestStream.WriteAsync(new ProduceRequest());
        Assert.Equal(WaitStatus.ShutDown, (await ReadAsync(call.ResponseStream)).Status);
        Assert.False(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Produce_to_a_queue_that_does_not_exist_says_so_at_its_opening()
    {
        using var call = Queues.Produce(Soon);
        await call.RequestStream.WriteAsync(new ProduceRequest { Queue = Unique("none") });
        var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Check(error, StatusCode.NotFound, "NOT_FOUND", "create it with CreateQueue");
    }

    [Fact]
    public async Task Consume_opens_with_the_queue_alone()
    {
        var queue = await CreateQueueAsync();
        await Queues.PutAsync(new PutRequest { Queue = queue, Items = { new QueueItem { Body = Text("1") } } }, Soon);
        using var call = Queues.Consume(Soon);
        await call.RequestStream.WriteAsync(new ConsumeRequest { Queue = queue });
        await call.RequestStream.WriteAsync(new ConsumeRequest { Credits = 1 });
        Assert.Equal("1", Read(Assert.Single((await ReadAsync(call.ResponseStream)).Items).Body));
    }

    [Fact]
    public async Task AttachPipe_opens_with_the_pipe_and_its_end_alone()
    {
        var pipes = new PipeService.PipeServiceClient(_coordinator.Invoker);
        var pipe = Unique("pipe");
        await pipes.CreatePipeAsync(new CreatePipeRequest { Spec = new PipeSpec { Name = pipe, Duplex = true } }, Soon);
        using var left = pipes.AttachPipe(Soon);
        using var right = pipes.AttachPipe(Soon);
        await left.RequestStream.WriteAsync(new AttachPipeRequest { Pipe = pipe, End = PipeEnd.A });
        await right.RequestStream.WriteAsync(new AttachPipeRequest { Pipe = pipe, End = PipeEnd.B });
        await left.RequestStream.WriteAsync(new AttachPipeRequest { Messages = { Text("1") } });
        Assert.Equal("1", Read(Assert.Single((await ReadAsync(right.ResponseStream)).Messages)));
    }

    [Fact]
    public async Task Connect_and_StreamTasks_open_with_an_empty_message()
    {
        using var connect = _coordinator.Sessions.Connect(Soon);
        await connect.RequestStream.WriteAsync(new ConnectRequest());
        Assert.NotEmpty((await ReadAsync(connect.ResponseStream)).SessionId);
        using var tasks = _coordinator.Tasks.StreamTasks(Soon);
        await tasks.RequestStream.WriteAsync(new StreamTasksRequest());
        Assert.True((await ReadAsync(tasks.ResponseStream)).Credits > 0);
        await tasks.RequestStream.WriteAsync(new StreamTasksRequest { Tasks = { Specs.Json("echo", "1", tag: 7) } });
        StreamTasksResponse answer;
        do
            answer = await ReadAsync(tasks.ResponseStream);
        while (answer.Results.Count == 0);
        Assert.Equal(7ul, Assert.Single(answer.Results).Tag);
    }

    private static async Task<T> ReadAsync<T>(IAsyncStreamReader<T> reader)
    {
        Assert.True(await reader.MoveNext(TestContext.Current.CancellationToken));
        return reader.Current;
    }

    private async Task<string> CreateQueueAsync()
    {
        var name = Unique("opening");
        await Queues.CreateQueueAsync(new CreateQueueRequest { Spec = new QueueSpec { Name = name } }, Soon);
        return name;
    }
}
