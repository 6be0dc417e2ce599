using Grpc.Core;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Load;

/// <summary>Part 8, 5: large payloads with the limits by default, over both transports, and over a restart.</summary>
[Trait("Kind", "slow")]
public sealed class LargePayloadTests
{
    private const int Large = 60_000_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Sixty_megabytes_pass_a_worker_and_a_queue(bool isLocal)
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1");
        var calls = isLocal ? coordinator.ConnectLocally() : coordinator.Invoker;
        var payload = Pattern(Large);
        var request = new RunTaskRequest { Task = new TaskSpec { Handler = "echo", Input = payload } };
        var result = (await new TaskService.TaskServiceClient(calls).RunTaskAsync(request, CoordinatorProcess.Deadline(60))).Result;
        Assert.Equal(TaskState.Succeeded, result.State);
        Assert.True(payload.Data.Span.SequenceEqual(result.Output.Data.Span));

        var queues = new QueueService.QueueServiceClient(calls);
        await queues.CreateQueueAsync(new CreateQueueRequest { Spec = new QueueSpec { Name = "large" } }, Soon);
        var put = new PutRequest { Queue = "large", Items = { new QueueItem { Body = payload } } };
        await queues.PutAsync(put, CoordinatorProcess.Deadline(60));
        var got = await queues.GetAsync(new GetRequest { Queue = "large", MaxItems = 1 }, CoordinatorProcess.Deadline(60));
        Assert.True(payload.Data.Span.SequenceEqual(Assert.Single(got.Items).Body.Data.Span));
    }

    [Fact]
    public async Task Durable_payloads_are_read_again_after_a_restart_with_a_lower_limit()
    {
        using var directory = new TemporaryDirectory();
        var payload = Pattern(10_000_000);
        ulong id;
        await using (var coordinator = await CoordinatorProcess.StartInAsync(directory, "--workers", "0"))
        {
            var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
            await queues.CreateQueueAsync(
                new CreateQueueRequest { Spec = new QueueSpec { Name = "large", Durability = Durability.Process } }, Soon);
            await queues.PutAsync(new PutRequest { Queue = "large", Items = { new QueueItem { Body = payload } } }, Soon);
            var task = new TaskSpec
            {
                Handler = "echo",
                Input = payload,
                Options = new TaskOptions { Durability = Durability.Process },
            };
            id = Assert.Single(await coordinator.SubmitAsync(task));
        }

        await using var next = await CoordinatorProcess.StartInAsync(directory, "--workers", "1", "--max-payload", "1MB");
        var got = await new QueueService.QueueServiceClient(next.Invoker).GetAsync(new GetRequest { Queue = "large", MaxItems = 1 }, Soon);
        Assert.True(payload.Data.Span.SequenceEqual(Assert.Single(got.Items).Body.Data.Span));
        // Its input reaches the worker; the output is new, and the new limit holds for it.
        var result = Assert.Single(await next.WaitAsync([id]));
        Assert.Equal(ErrorReason.LimitExceeded, result.Error.Reason);
        Assert.Contains("1048576", result.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_queue_that_can_never_hold_a_payload_refuses_it_by_name()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
        await queues.CreateQueueAsync(new CreateQueueRequest { Spec = new QueueSpec { Name = "small", MaxBytes = 1_000_000 } }, Soon);
        var error = await Assert.ThrowsAsync<RpcException>(async () => await queues.PutAsync(
            new PutRequest { Queue = "small", Items = { new QueueItem { Body = Pattern(5_000_000) } } }, Soon));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Contains("can never fit", error.Status.Detail, StringComparison.Ordinal);
    }

    private static Payload Pattern(int bytes)
    {
        var data = new byte[bytes];
        for (var i = 0; i < data.Length; i++)
            data[i] = (byte)(i * 2_654_435_761L >> 13);
        return new Payload { Data = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(data) };
    }
}
