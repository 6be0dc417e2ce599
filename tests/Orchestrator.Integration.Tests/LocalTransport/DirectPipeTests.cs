using System.Diagnostics;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Results;
using Orchestrator.Integration.Tests.Interop;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.Integration.Tests.Sdk;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.LocalTransport;

/// <summary>Direct pipes: the coordinator knows the ends and their owners, and the messages pass it by.</summary>
public sealed class DirectPipeTests(SharedCoordinator shared, PythonStubs stubs)
    : IClassFixture<SharedCoordinator>, IClassFixture<PythonStubs>
{
    private const string AttachPipe = "/orchestrator.v1.PipeService/AttachPipe";

    private static int s_names;

    private readonly PipeService.PipeServiceClient _pipes = new(shared.Coordinator.Invoker);

    [Fact]
    public async Task Messages_of_all_sizes_arrive_in_order_in_both_directions()
    {
        await using var world = await World.StartAsync(shared.Coordinator);
        var sizes = Enumerable.Range(0, 2_000).Select(i => i % 50 == 0 ? 300_000 : i % 977).ToArray();
        var sending = SendAsync(world.A);
        var back = SendAsync(world.B);
        await Task.WhenAll(ReceiveAsync(world.B), ReceiveAsync(world.A), sending, back).Soon();

        async Task SendAsync(DirectPipeEnd<byte[]> end)
        {
            foreach (var size in sizes)
                await end.SendAsync(Content(size));
        }

        async Task ReceiveAsync(DirectPipeEnd<byte[]> end)
        {
            foreach (var size in sizes)
                Assert.Equal(Content(size), await end.ReceiveAsync());
        }

        static byte[] Content(int size) => [.. Enumerable.Range(0, size).Select(i => (byte)(i * size))];
    }

    [Fact]
    public async Task Any_number_of_threads_use_an_end()
    {
        const int Senders = 8;
        const int Each = 500;
        await using var world = await World.StartAsync(shared.Coordinator);
        var received = Enumerable.Range(0, 4).Select(async _ =>
        {
            var mine = new List<int>();
            await foreach (var message in world.B.ReceiveAllAsync())
                mine.Add(BitConverter.ToInt32(message));
            return mine;
        }).ToArray();
        await Task.WhenAll(Enumerable.Range(0, Senders).Select(sender => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
                await world.A.SendAsync(BitConverter.GetBytes((sender * Each) + i));
        }))).Soon();
        await world.A.DisposeAsync();
        var all = (await Task.WhenAll(received).Soon()).SelectMany(mine => mine).Order();
        Assert.Equal(Enumerable.Range(0, Senders * Each), all);
    }

    [Fact]
    public async Task A_cancelled_receive_takes_no_message()
    {
        await using var world = await World.StartAsync(shared.Coordinator);
        for (var i = 0; i < 200; i++)
        {
            using var giveUp = new CancellationTokenSource();
            var waiting = world.A.ReceiveAsync(giveUp.Token);
            var sending = Task.Run(() => world.B.SendAsync([1]));
            await giveUp.CancelAsync();
            await sending;
            var (first, wasCancelled) = await TakeAsync(waiting);
            Assert.Equal([1], wasCancelled ? await world.A.ReceiveAsync().Soon() : first);
        }

        Assert.Equal((null, false), await world.A.TryReceiveAsync(TimeSpan.Zero));

        static async Task<(byte[]? Message, bool WasCancelled)> TakeAsync(Task<byte[]?> waiting)
        {
            try
            {
                return (await waiting.Soon(), false);
            }
            catch (OperationCanceledException)
            {
                return (null, true);
            }
        }
    }

    [Fact]
    public async Task A_closed_end_is_the_end_of_file_behind_what_it_sent_and_a_broken_pipe()
    {
        await using var world = await World.StartAsync(shared.Coordinator);
        await world.A.SendAsync([1]);
        // Never read: it must not cost the other end what was sent before.
        await world.B.SendAsync([2]);
        await world.A.DisposeAsync();
        await world.A.DisposeAsync();
        Assert.Equal([1], await world.B.ReceiveAsync().Soon());
        Assert.Null(await world.B.ReceiveAsync().Soon());
        Assert.Equal((null, true), await world.B.TryReceiveAsync(TimeSpan.FromMinutes(1)));
        Assert.Contains("closed at the other end", (await FailsAsync(
            FailureReason.BrokenPipe, () => world.B.SendAsync([3]))).Message, StringComparison.Ordinal);
        Assert.Contains("closed at this end", (await FailsAsync(
            FailureReason.BrokenPipe, () => world.A.SendAsync([3]))).Message, StringComparison.Ordinal);
        await FailsAsync(FailureReason.BrokenPipe, () => world.A.ReceiveAsync());
        await world.B.DisposeAsync();
        Assert.DoesNotContain(world.Name, (await _pipes.ListPipesAsync(new ListPipesRequest(), Soon)).Pipes.Select(pipe => pipe.Spec.Name));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_end_that_is_closed_elsewhere_is_broken_and_the_other_reads_end_of_file(bool waits)
    {
        await using var world = await World.StartAsync(shared.Coordinator);
        await world.A.SendAsync([1]);
        var waiting = waits ? world.A.ReceiveAsync() : null;
        await _pipes.ClosePipeEndAsync(new ClosePipeEndRequest { Pipe = world.Name, End = PipeEnd.A }, Soon);
        await FailsAsync(FailureReason.BrokenPipe, () => waiting ?? world.A.ReceiveAsync());
        await FailsAsync(FailureReason.BrokenPipe, () => world.A.SendAsync([2]));
        Assert.Equal([1], await world.B.ReceiveAsync().Soon());
        Assert.Null(await world.B.ReceiveAsync().Soon());
    }

    [Fact]
    public async Task An_end_that_was_never_attached_can_be_closed_while_the_other_sends()
    {
        await using var world = await World.StartAsync(shared.Coordinator, attachB: false);
        // More than the sockets hold.
        var sending = world.A.SendAsync(new byte[16_000_000]);
        Assert.False(sending.IsCompleted);
        await _pipes.ClosePipeEndAsync(new ClosePipeEndRequest { Pipe = world.Name, End = PipeEnd.B }, Soon);
        await FailsAsync(FailureReason.BrokenPipe, () => sending);
        Assert.Null(await world.A.ReceiveAsync().Soon());
    }

    [Fact]
    public async Task The_end_of_a_session_closes_its_end()
    {
        await using var world = await World.StartAsync(shared.Coordinator);
        await world.A.SendAsync([1]);
        await world.SessionA.DisposeAsync();
        Assert.Equal([1], await world.B.ReceiveAsync().Soon());
        Assert.Null(await world.B.ReceiveAsync().Soon());
        await FailsAsync(FailureReason.BrokenPipe, () => world.A.SendAsync([2]));
    }

    [Fact]
    public async Task The_end_of_a_killed_process_reads_as_end_of_file_behind_what_it_sent()
    {
        Assert.SkipWhen(stubs.Missing is not null, stubs.Missing ?? "");
        await using var world = await World.StartAsync(shared.Coordinator, attachB: false);
        using var process = StartPython(world.Name);
        try
        {
            await process.StandardInput.WriteLineAsync("first\nsecond");
            await process.StandardInput.FlushAsync();
            Assert.Equal("first", await TextAsync(world.A));
            Assert.Equal("second", await TextAsync(world.A));
            process.Kill();
            Assert.Null(await world.A.ReceiveAsync().Soon());
            await FailsAsync(FailureReason.BrokenPipe, () => world.A.SendAsync([1]));
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task Python_attaches_an_end()
    {
        Assert.SkipWhen(stubs.Missing is not null, stubs.Missing ?? "");
        await using var world = await World.StartAsync(shared.Coordinator, attachB: false);
        using var process = StartPython(world.Name);
        await process.StandardInput.WriteLineAsync("hello");
        process.StandardInput.Close();
        Assert.Equal("hello", await TextAsync(world.A));
        await world.A.SendAsync("and"u8.ToArray());
        await world.A.SendAsync("back"u8.ToArray());
        await world.A.DisposeAsync();
        Assert.Equal("and\nback\n", await process.StandardOutput.ReadToEndAsync().Soon());
        await process.WaitForExitAsync().Soon();
        Assert.Equal((0, ""), (process.ExitCode, await process.StandardError.ReadToEndAsync()));
    }

    [Fact]
    public async Task A_coordinator_that_ends_breaks_the_pipe_and_is_no_end_of_file()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        await using var world = await World.StartAsync(coordinator);
        var waiting = world.A.ReceiveAsync();
        coordinator.Kill();
        await Assert.ThrowsAsync<CoordinatorUnavailableException>(() => waiting.Soon());
        await Assert.ThrowsAsync<CoordinatorUnavailableException>(() => world.B.ReceiveAsync().Soon());
    }

    [Fact]
    public async Task Both_ends_within_one_program_and_its_coordinator()
    {
        await using var world = await World.StartAsync(shared.Coordinator);
        Assert.Equal((true, true, true), await StateAsync(world.Name));
        await world.A.DisposeAsync();
        Assert.Equal((true, false, true), await StateAsync(world.Name));

        async Task<(bool Direct, bool A, bool B)> StateAsync(string name)
        {
            var info = (await _pipes.ListPipesAsync(new ListPipesRequest(), Soon)).Pipes.Single(pipe => pipe.Spec.Name == name);
            return (info.Spec.Direct, info.AAttached, info.BAttached);
        }
    }

    [Fact]
    public async Task One_direction_goes_from_B_to_A_alone()
    {
        await using var world = await World.StartAsync(shared.Coordinator, duplex: false);
        await world.B.SendAsync([1]);
        Assert.Equal([1], await world.A.ReceiveAsync().Soon());
        await FailsAsync(FailureReason.Invalid, () => world.A.SendAsync([2]));
        await FailsAsync(FailureReason.Invalid, () => world.B.ReceiveAsync());
        await world.B.DisposeAsync();
        Assert.Null(await world.A.ReceiveAsync().Soon());
    }

    [Fact]
    public async Task What_cannot_be_attached_is_refused_and_leaves_the_end_free()
    {
        await using var world = await World.StartAsync(shared.Coordinator, attachB: false);
        await FailsAsync(FailureReason.NotOwner, () => world.SessionA.Pipe<byte[]>(world.Name).EndA.AttachDirectAsync());
        await FailsAsync(FailureReason.NotFound, () => world.SessionA.Pipe<byte[]>("direct/none").EndA.AttachDirectAsync());
        await world.ClientA.CreatePipeAsync("direct/usual");
        Assert.Contains("not direct", (await FailsAsync(
            FailureReason.Invalid,
            () => world.SessionA.Pipe<byte[]>("direct/usual").EndA.AttachDirectAsync())).Message, StringComparison.Ordinal);
        await FailsAsync(FailureReason.Invalid, () => world.SessionA.Pipe<byte[]>(world.Name).EndB.SendAsync([1]));
        await FailsAsync(FailureReason.Invalid, () => world.SessionA.Pipe<byte[]>(world.Name).EndB.ReceiveAsync());
        // By its address, a client calls over gRPC.
        await using (var remote = await OrchestratorClient.ConnectAsync(new OrchestratorClientOptions
        {
            Endpoint = world.ClientA.Address.ToString(),
            Token = shared.Coordinator.Token,
        }))
        await using (var session = await remote.OpenSessionAsync())
        {
            Assert.Contains("local transport", (await FailsAsync(
                FailureReason.Invalid, () => session.Pipe<byte[]>(world.Name).EndB.AttachDirectAsync())).Message, StringComparison.Ordinal);
            foreach (var (first, reason) in new (AttachPipeRequest, string)[]
            {
                (new() { Direct = true }, "local transport"),
                (new(), "set direct true"),
                (new() { Direct = true, Messages = { Text("m") } }, "over the socket"),
            })
            {
                (first.Pipe, first.End) = (world.Name, PipeEnd.B);
                using var call = new PipeService.PipeServiceClient(remote.Invoker).AttachPipe(Soon);
                await call.RequestStream.WriteAsync(first);
                var refused = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None));
                Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
                Assert.Contains(reason, refused.Status.Detail, StringComparison.Ordinal);
            }
        }

        await using var end = await world.SessionA.Pipe<byte[]>(world.Name).EndB.AttachDirectAsync();
        await end.SendAsync([9]);
        Assert.Equal([9], await world.A.ReceiveAsync().Soon());
    }

    [Fact]
    public async Task A_message_over_the_stream_is_refused_and_closes_the_end()
    {
        await using var world = await World.StartAsync(shared.Coordinator, attachB: false);
        using var connection = await LocalSocket.ConnectAsync(shared.Coordinator);
        var request = new AttachPipeRequest { Pipe = world.Name, End = PipeEnd.B, Direct = true };
        await connection.SendAsync(LocalSocket.Open(AttachPipe, shared.Coordinator.Token));
        await connection.SendAsync(LocalSocket.Frame(0, request.ToByteArray()));
        // This receiver takes no descriptor: the kernel drops it, and the frames come.
        Assert.Equal(20, (await connection.ReceiveAsync())!.Value.Kind);
        var answer = AttachPipeResponse.Parser.ParseFrom((await connection.ReceiveAsync())!.Value.Content);
        Assert.Equal((world.Name, true), (answer.Pipe.Spec.Name, answer.Pipe.BAttached));
        await connection.SendAsync(LocalSocket.Frame(0, new AttachPipeRequest { Messages = { Text("m") } }.ToByteArray()));
        Assert.Contains("over the socket", (await connection.StatusAsync()).Message, StringComparison.Ordinal);
        Assert.Null(await world.A.ReceiveAsync().Soon());
    }

    [Fact]
    public async Task Nothing_is_left_of_pipes_that_are_over()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        await RunAsync(20);
        var before = Sockets();
        await RunAsync(60);
        // Those that were closed unattached wait for a sweep.
        Assert.InRange(Sockets(), 0, before + 40);

        int Sockets() => Directory.EnumerateFiles($"/proc/{coordinator.Pid}/fd").Count(
            fd => new FileInfo(fd).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true);

        async Task RunAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                await using var world = await World.StartAsync(coordinator, attachB: i % 2 == 0);
                await world.A.SendAsync([1]);
                if (i % 2 == 1)
                    await new PipeService.PipeServiceClient(coordinator.Invoker).ClosePipeEndAsync(
                        new ClosePipeEndRequest { Pipe = world.Name, End = PipeEnd.B }, Soon);
            }
        }
    }

    private static async Task<string> TextAsync(DirectPipeEnd<byte[]> end) => Encoding.UTF8.GetString((await end.ReceiveAsync().Soon())!);

    private static async Task<OrchestratorException> FailsAsync(FailureReason reason, Func<Task> call)
    {
        var failure = await Assert.ThrowsAsync<OrchestratorException>(() => call().Soon());
        Assert.Equal(reason, failure.Reason);
        return failure;
    }

    private Process StartPython(string pipe)
    {
        var start = new ProcessStartInfo(PythonStubs.Interpreter)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList = { stubs.ScriptOf("direct_pipe.py"), pipe, "B" },
            Environment =
            {
                ["PYTHONPATH"] = stubs.Directory,
                ["PYTHONDONTWRITEBYTECODE"] = "1",
                ["ORCHESTRATOR_DATA_DIR"] = shared.Coordinator.DataDirectory,
            },
        };
        return Process.Start(start)!;
    }

    /// <summary>Two clients, a session of each, and a direct pipe between them.</summary>
    private sealed record World(
        string Name, OrchestratorClient ClientA, OrchestratorClient ClientB, CoordinationSession SessionA, CoordinationSession SessionB,
        DirectPipeEnd<byte[]> A, DirectPipeEnd<byte[]> B) : IAsyncDisposable
    {
        public static async Task<World> StartAsync(CoordinatorProcess coordinator, bool duplex = true, bool attachB = true)
        {
            var name = $"direct/{Interlocked.Increment(ref s_names)}";
            var (clientA, clientB) = (await SdkFixture.ConnectAsync(coordinator), await SdkFixture.ConnectAsync(coordinator));
            await clientA.CreatePipeAsync(name, new PipeOptions { Duplex = duplex, Direct = true });
            var (sessionA, sessionB) = (await clientA.OpenSessionAsync(), await clientB.OpenSessionAsync());
            return new World(
                name, clientA, clientB, sessionA, sessionB,
                await sessionA.Pipe<byte[]>(name).EndA.AttachDirectAsync().Soon(),
                attachB ? await sessionB.Pipe<byte[]>(name).EndB.AttachDirectAsync().Soon() : null!);
        }

        public async ValueTask DisposeAsync()
        {
            await A.DisposeAsync();
            if (B is not null)
                await B.DisposeAsync();
            await SessionA.DisposeAsync();
            await SessionB.DisposeAsync();
            await ClientA.DisposeAsync();
            await ClientB.DisposeAsync();
        }
    }
}
