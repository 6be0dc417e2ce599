using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Transport.RawMessages;
using Orchestrator.V1;
using Orchestrator.Worker.AspNetCore;
using Orchestrator.Worker.Hosting;
using Orchestrator.Worker.Service;
using Orchestrator.Worker.Tasks;
using Orchestrator.Worker.V1;
using HandlerKind = Orchestrator.Worker.Tasks.HandlerKind;

namespace Orchestrator.Worker.Tests.Service;

/// <summary>The worker's gRPC side over a real socket, in the test's process.</summary>
public sealed class WorkerServiceTests : IAsyncDisposable
{
    private const string Token = "0123456789abcdef0123456789abcdef";

    private readonly string _directory = Directory.CreateTempSubdirectory("worker").FullName;
    private readonly WorkerBuilder _builder = new WorkerBuilder(null).UseGrpcServer();
    private WorkerInstance? _server;
    private Task<StreamEnd> _serving = Task.FromResult(StreamEnd.Clean);

    private string SocketPath => Path.Combine(_directory, "w.sock");

    [Fact]
    public async Task Hello_says_who_it_is_and_what_it_can()
    {
        _builder.MapTask("double", (long n) => 2 * n, new() { Description = "Doubles.", Example = """{"n": 1}""" });
        using var client = await StartAsync();
        var hello = await client.AttachAsync();
        Assert.Equal(("worker-1", 3, Environment.ProcessId), (hello.Name, hello.Incarnation, hello.Pid));
        Assert.Equal((1, 5, 7), (hello.CpuSlots, hello.BlockingSlots, hello.IoSlots));
        Assert.False(hello.RecordsFlight);
        var handler = Assert.Single(hello.Handlers);
        Assert.Equal(("double", Orchestrator.V1.TaskKind.Cpu, "Doubles."), (handler.Name, handler.Kind, handler.Description));
        Assert.StartsWith("dotnet 10.", hello.Runtime, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Batches_of_all_kinds_come_back()
    {
        foreach (var kind in Enum.GetValues<HandlerKind>())
            _builder.MapTask($"{kind}", (long n) => n + 1, new() { Kind = kind });
        using var client = await StartAsync();
        await client.AttachAsync();
        var all = new List<RawAssignment>();
        for (var message = 0; message < 40; message++)
        {
            var batch = Enumerable.Range(0, 50).Select(i => client.Assign($"{(HandlerKind)(1 + (i % 3))}", $"{i}")).ToArray();
            all.AddRange(batch);
            await client.SendAsync(batch);
        }

        for (var i = 0; i < all.Count; i++)
            Assert.Equal($"{(i % 50) + 1}", ExecutorFixture.Text((await client.Sink.ResultAsync(all[i])).Output));
        Assert.Empty(client.Sink.Twice);
    }

    [Fact]
    public async Task Handlers_that_block_threads_delay_neither_cancels_nor_results_nor_heartbeats()
    {
        var gate = new Gate();
        _builder.MapTask("block", (int _) =>
        {
            gate.Block();
            return 0;
        }, new() { Kind = HandlerKind.Io });
        _builder.MapTask("quick", (int n) => n, new() { Kind = HandlerKind.Io });
        _builder.MapTask("wait", (int _, CancellationToken ct) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct));
        using var client = await StartAsync();
        await client.AttachAsync();
        var quick = client.Assign("quick", "1");
        var blocked = client.Assign("block", "0");
        var wait = client.Assign("wait", "0");
        // The quick one's result must not wait for the blocked one, though one thread starts both.
        await client.SendAsync(quick, blocked, wait);
        await client.Sink.ResultAsync(quick);
        await gate.Entered;
        await client.SendAsync(new ExecuteRequest { Cancels = { new AttemptRef { TaskId = wait.TaskId, Attempt = 1 } } });
        Assert.Equal(ErrorReason.Cancelled, (await client.Sink.ResultAsync(wait)).Error!.Reason);
        await client.NextVitalsAsync();
        var vitals = await client.NextVitalsAsync();
        Assert.Equal((1, 0), (vitals.Running, vitals.Waiting));
        Assert.True(vitals.RssBytes > 1_000_000);
        Assert.True(vitals.Threads > 1);
        Assert.False(client.Sink.IsDone(blocked));
        gate.Open();
        await client.Sink.ResultAsync(blocked);
    }

    [Fact]
    public async Task Results_leave_before_a_cpu_task_that_takes_long()
    {
        var gate = new Gate();
        _builder.MapTask("quick", (int n) => n);
        _builder.MapTask("block", (int _) =>
        {
            gate.Block();
            return 0;
        });
        using var client = await StartAsync();
        await client.AttachAsync();
        var quick = client.Assign("quick", "1");
        var blocked = client.Assign("block", "0");
        await client.SendAsync(quick, blocked);
        await client.Sink.ResultAsync(quick);
        Assert.False(client.Sink.IsDone(blocked));
        gate.Open();
        await client.Sink.ResultAsync(blocked);
    }

    [Fact]
    public async Task Events_come_before_their_result_and_a_generator_is_held_back_by_its_reader()
    {
        _builder.MapTask("many", async (int n, TaskContext context) =>
        {
            for (var i = 0; i < n; i++)
                await context.WritePartialBytesAsync(new byte[1000]);
            return n;
        });
        using var client = await StartAsync();
        await client.AttachAsync();
        Assert.Equal("20000", ExecutorFixture.Text((await client.RunAsync("many", "20000")).Output));
        Assert.Equal(20_000, client.Sink.Events.Count);
    }

    [Fact]
    public async Task Large_payloads_pass_and_too_large_ones_fail_alone()
    {
        _builder.MapTask("bytes", (int n) => new byte[n]);
        using var client = await StartAsync();
        await client.AttachAsync();
        Assert.Equal(3_999_990, Payload.Parser.ParseFrom((await client.RunAsync("bytes", "3999990")).Output).Data.Length);
        Assert.Equal(ErrorReason.LimitExceeded, (await client.RunAsync("bytes", "9000000")).Error!.Reason);
        Assert.Null((await client.RunAsync("bytes", "1")).Error);
    }

    [Fact]
    public async Task An_identity_message_renames_the_worker()
    {
        _builder.MapTask("who", (int _, TaskContext context) => context.WorkerName, new() { Kind = HandlerKind.Io });
        using var client = await StartAsync();
        await client.AttachAsync();
        Assert.Equal("\"worker-1#3\"", ExecutorFixture.Text((await client.RunAsync("who", "0")).Output));
        await client.SendAsync(new ExecuteRequest { Identity = new Identity { Name = "worker-2", Incarnation = 9 } });
        Assert.Equal("\"worker-2#9\"", ExecutorFixture.Text((await client.RunAsync("who", "0")).Output));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_drain_and_a_half_close_finish_what_runs_and_end_the_stream(bool byMessage)
    {
        var gate = new Gate();
        _builder.MapTask("hold", (int n) =>
        {
            gate.Block();
            return n;
        });
        using var client = await StartAsync();
        await client.AttachAsync();
        var running = client.Assign("hold", "1");
        var waiting = client.Assign("hold", "2");
        await client.SendAsync(running, waiting);
        await gate.Entered;
        if (byMessage)
            await client.SendAsync(new ExecuteRequest { Drain = true });
        else
            await client.Call!.RequestStream.CompleteAsync();
        await client.Sink.EndAsync(waiting);
        Assert.True(client.Sink.IsReturned(waiting));
        Assert.False(client.Sink.IsDone(running));
        gate.Open();
        await client.Sink.EndAsync(running);
        // As a coordinator does once it has every result: the client sends no more.
        if (byMessage)
            await client.Call!.RequestStream.CompleteAsync();
        await client.EndAsync();
        Assert.True(client.Sink.IsDone(running));
        Assert.Equal(StatusCode.OK, client.Call!.GetStatus().StatusCode);
        Assert.Equal(StreamEnd.Clean, await _serving.WaitAsync(ExecutorFixture.Limit, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_broken_stream_ends_the_worker()
    {
        _builder.MapTask("quick", (int n) => n, new() { Kind = HandlerKind.Io });
        var client = await StartAsync();
        await client.AttachAsync();
        client.Dispose();
        Assert.Equal(StreamEnd.Broken, await _serving.WaitAsync(ExecutorFixture.Limit, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_second_stream_is_refused_and_the_first_lives()
    {
        _builder.MapTask("quick", (int n) => n, new() { Kind = HandlerKind.Io });
        using var client = await StartAsync();
        await client.AttachAsync();
        using var second = client.Open();
        var fault = await Assert.ThrowsAsync<RpcException>(() => second.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.Equal(StatusCode.FailedPrecondition, fault.StatusCode);
        Assert.Null((await client.RunAsync("quick", "1")).Error);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0123456789abcdef0123456789abcdeg")]
    public async Task Without_the_token_only_health_and_reflection_answer(string? token)
    {
        using var owner = await StartAsync();
        using var stranger = new WorkerClient(SocketPath, token ?? "");
        if (token is null)
            stranger.Headers.Clear();
        using var call = stranger.Open();
        var fault = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.Equal(StatusCode.Unauthenticated, fault.StatusCode);

        var reflection = new Grpc.Reflection.V1Alpha.ServerReflection.ServerReflectionClient(stranger.Channel);
        using var listing = reflection.ServerReflectionInfo(stranger.Headers, cancellationToken: TestContext.Current.CancellationToken);
        await listing.RequestStream.WriteAsync(
            new Grpc.Reflection.V1Alpha.ServerReflectionRequest { ListServices = "" }, TestContext.Current.CancellationToken);
        Assert.True(await listing.ResponseStream.MoveNext(TestContext.Current.CancellationToken));

        var health = new Health.HealthClient(stranger.Channel);
        var answer = await health.CheckAsync(new HealthCheckRequest(), cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, answer.Status);
    }

    [Fact]
    public async Task Initializers_run_once_and_in_order_before_hello()
    {
        var gate = new Gate();
        var order = new List<string>();
        _builder.Services.AddSingleton("a service");
        _builder.UseInitializer(async (services, _) =>
        {
            await gate.PassAsync();
            order.Add(services.GetRequiredService<string>());
        });
        _builder.UseInitializer((_, _) =>
        {
            order.Add("second");
            return Task.CompletedTask;
        });
        using var client = await StartAsync();
        await gate.Entered;
        var attaching = client.AttachAsync();
        Assert.False(attaching.IsCompleted);
        gate.Open();
        await attaching;
        Assert.Equal(["a service", "second"], order);
    }

    [Fact]
    public async Task A_failing_initializer_fails_the_worker()
    {
        _builder.UseInitializer((_, _) => throw new InvalidOperationException("no model"));
        using var client = await StartAsync();
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(
            () => _serving.WaitAsync(ExecutorFixture.Limit, TestContext.Current.CancellationToken));
        Assert.Equal("no model", fault.Message);
        _serving = Task.FromResult(StreamEnd.Clean);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            _server.Runtime.Drain();
            await _serving.WaitAsync(ExecutorFixture.Limit, CancellationToken.None);
            await _server.DisposeAsync();
        }

        Directory.Delete(_directory, recursive: true);
    }

    private async Task<WorkerClient> StartAsync()
    {
        var launch = new WorkerLaunch
        {
            Name = "worker-1",
            Incarnation = 3,
            Socket = SocketPath,
            Token = Token,
            BlockingThreads = 5,
            MaxConcurrentIo = 7
        };
        _server = WorkerInstance.Create(_builder, launch, direct: null, TimeProvider.System);
        _serving = _server.RunAsync();
        await _server.Listening.WaitAsync(ExecutorFixture.Limit, TestContext.Current.CancellationToken);
        return new WorkerClient(SocketPath, Token);
    }
}
