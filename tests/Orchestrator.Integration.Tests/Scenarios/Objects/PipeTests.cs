using Grpc.Core;
using Orchestrator.Protocol;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Scenarios.Objects;

/// <summary>Pipes through a coordinator: one test per guarantee.</summary>
public sealed class PipeTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private readonly CoordinatorProcess _coordinator = shared.Coordinator;
    private readonly PipeService.PipeServiceClient _pipes = new(shared.Coordinator.Invoker);

    [Fact]
    public async Task Messages_keep_their_frames_and_order()
    {
        var pipe = await CreateAsync();
        Assert.Equal(3, (await SendAsync(pipe, PipeEnd.A, "a", "b", "c")).Sent);
        var peek = await _pipes.ReceiveAsync(new ReceiveRequest { Pipe = pipe, End = PipeEnd.B, Peek = true }, Soon);
        Assert.Equal((3, 0), (peek.Available, peek.Messages.Count));
        Assert.Equal(["a", "b"], (await ReceiveAsync(pipe, PipeEnd.B, 2)).Messages.Select(Read));
        Assert.Equal(["c"], (await ReceiveAsync(pipe, PipeEnd.B, 2)).Messages.Select(Read));
    }

    [Fact]
    public async Task A_full_direction_blocks_the_sender()
    {
        var pipe = await CreateAsync(spec => spec.MaxMessages = 1);
        var full = await _pipes.SendAsync(
            new SendRequest { Pipe = pipe, End = PipeEnd.A, Messages = { Text("a"), Text("b") }, Timeout = Specs.Seconds(0) }, Soon);
        Assert.Equal((PipeStatus.Timeout, 1), (full.Status, full.Sent));
        var blocked = SendAsync(pipe, PipeEnd.A, "b");
        Assert.Equal("a", Read((await ReceiveAsync(pipe, PipeEnd.B)).Messages.Single()));
        Assert.Equal(PipeStatus.Ok, (await blocked).Status);
        var empty = await _pipes.ReceiveAsync(new ReceiveRequest { Pipe = pipe, End = PipeEnd.A, Timeout = Specs.Seconds(0.02) }, Soon);
        Assert.Equal(PipeStatus.Timeout, empty.Status);
    }

    [Fact]
    public async Task A_closed_end_is_the_end_of_file_behind_what_it_sent_and_a_broken_pipe_before()
    {
        var pipe = await CreateAsync();
        await SendAsync(pipe, PipeEnd.A, "last");
        await _pipes.ClosePipeEndAsync(new ClosePipeEndRequest { Pipe = pipe, End = PipeEnd.A }, Soon);
        Assert.Equal("last", Read((await ReceiveAsync(pipe, PipeEnd.B)).Messages.Single()));
        Assert.Equal(PipeStatus.EndOfFile, (await ReceiveAsync(pipe, PipeEnd.B)).Status);
        Assert.Equal(PipeStatus.BrokenPipe, (await SendAsync(pipe, PipeEnd.B, "x")).Status);
    }

    [Fact]
    public async Task The_end_of_a_session_closes_its_end()
    {
        var pipe = await CreateAsync();
        var session = await _coordinator.OpenSessionAsync();
        await _pipes.SendAsync(new SendRequest { Pipe = pipe, End = PipeEnd.A, Messages = { Text("a") }, SessionId = session }, Soon);
        await RefusesAsync(
            _pipes.SendAsync(new SendRequest { Pipe = pipe, End = PipeEnd.A, Messages = { Text("b") } }, Soon),
            StatusCode.FailedPrecondition, "NOT_OWNER", SessionAlias.Of(session));
        await ReceiveAsync(pipe, PipeEnd.B);
        var waiting = ReceiveAsync(pipe, PipeEnd.B);
        await _coordinator.CloseSessionAsync(session);
        Assert.Equal(PipeStatus.EndOfFile, (await waiting).Status);
    }

    [Fact]
    public async Task One_direction_goes_from_B_to_A_alone()
    {
        var pipe = await CreateAsync(spec => spec.Duplex = false);
        await SendAsync(pipe, PipeEnd.B, "a");
        Assert.Equal("a", Read((await ReceiveAsync(pipe, PipeEnd.A)).Messages.Single()));
        await RefusesAsync(_pipes.SendAsync(new SendRequest { Pipe = pipe, End = PipeEnd.A, Messages = { Text("b") } }, Soon),
            StatusCode.InvalidArgument, "INVALID", "end");
        await RefusesAsync(
            _pipes.ReceiveAsync(new ReceiveRequest { Pipe = pipe, End = PipeEnd.B }, Soon), StatusCode.InvalidArgument, "INVALID", "end");
    }

    [Fact]
    public async Task Attached_ends_talk_until_one_closes()
    {
        var pipe = await CreateAsync();
        using var a = await AttachAsync(pipe, PipeEnd.A);
        using var b = await AttachAsync(pipe, PipeEnd.B);
        for (var i = 0; i < 100; i++)
        {
            await a.RequestStream.WriteAsync(new AttachPipeRequest { Messages = { Text($"ping {i}") } });
            Assert.Equal($"ping {i}", await NextAsync(b));
            await b.RequestStream.WriteAsync(new AttachPipeRequest { Messages = { Text($"pong {i}") } });
            Assert.Equal($"pong {i}", await NextAsync(a));
        }

        await a.RequestStream.CompleteAsync();
        Assert.True(await b.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.True(b.ResponseStream.Current.EndOfFile);
        Assert.False(await a.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_second_attachment_is_refused_until_the_first_has_ended()
    {
        var pipe = await CreateAsync();
        using var first = await AttachAsync(pipe, PipeEnd.A);
        using var second = _pipes.AttachPipe(Soon);
        await second.RequestStream.WriteAsync(new AttachPipeRequest { Pipe = pipe, End = PipeEnd.A });
        Check(await Assert.ThrowsAsync<RpcException>(
            () => second.ResponseStream.MoveNext(TestContext.Current.CancellationToken)), StatusCode.FailedPrecondition, "NOT_OWNER");
        Assert.True((await InfoAsync(pipe)).AAttached);
        first.Dispose();
        await UntilAsync(async () => (await InfoAsync(pipe)).AClosed);
    }

    [Fact]
    public async Task Bad_input_is_refused_by_name()
    {
        var pipe = await CreateAsync();
        await RefusesAsync(_pipes.ReceiveAsync(
            new ReceiveRequest { Pipe = "nowhere", End = PipeEnd.A }, Soon), StatusCode.NotFound, "NOT_FOUND", "nowhere");
        await RefusesAsync(
            _pipes.ReceiveAsync(new ReceiveRequest { Pipe = pipe }, Soon), StatusCode.InvalidArgument, "INVALID", "A (1) or B (2)");
        await RefusesAsync(_pipes.ReceiveAsync(
            new ReceiveRequest { Pipe = pipe, End = PipeEnd.A, MaxMessages = -1 }, Soon), StatusCode.InvalidArgument, "INVALID", "-1");
        await RefusesAsync(_pipes.ReceiveAsync(new ReceiveRequest { Pipe = pipe, End = PipeEnd.A, Timeout = Specs.Seconds(-2) }, Soon),
            StatusCode.InvalidArgument, "INVALID", "-2");
        await RefusesAsync(
            _pipes.SendAsync(new SendRequest { Pipe = pipe, End = PipeEnd.A }, Soon), StatusCode.InvalidArgument, "INVALID", "messages");
        await RefusesAsync(_pipes.CreatePipeAsync(new CreatePipeRequest { Spec = new PipeSpec { Name = new string('n', 129) } }, Soon),
            StatusCode.InvalidArgument, "INVALID", "128");
        await RefusesAsync(_pipes.CreatePipeAsync(
            new CreatePipeRequest { Spec = new PipeSpec { Name = pipe } }, Soon), StatusCode.FailedPrecondition, "KIND_MISMATCH");
        var large = new Payload { Data = Google.Protobuf.ByteString.CopyFrom(new byte[ProtocolConstants.DefaultPayloadBytes + 1]) };
        await RefusesAsync(_pipes.SendAsync(new SendRequest { Pipe = pipe, End = PipeEnd.A, Messages = { large } }, Soon),
            StatusCode.ResourceExhausted, "LIMIT_EXCEEDED", "messages[0]");
    }

    private async Task<string> CreateAsync(Action<PipeSpec>? configure = null)
    {
        var spec = new PipeSpec { Name = Unique("pipe"), Duplex = true };
        configure?.Invoke(spec);
        return (await _pipes.CreatePipeAsync(new CreatePipeRequest { Spec = spec }, Soon)).Pipe.Spec.Name;
    }

    private async Task<SendResponse> SendAsync(string pipe, PipeEnd end, params string[] messages) =>
        await _pipes.SendAsync(new SendRequest { Pipe = pipe, End = end, Messages = { messages.Select(Text) } }, Soon);

    private async Task<ReceiveResponse> ReceiveAsync(string pipe, PipeEnd end, int max = 1) =>
        await _pipes.ReceiveAsync(new ReceiveRequest { Pipe = pipe, End = end, MaxMessages = max }, Soon);

    private async Task<AsyncDuplexStreamingCall<AttachPipeRequest, AttachPipeResponse>> AttachAsync(string pipe, PipeEnd end)
    {
        var call = _pipes.AttachPipe(Soon);
        await call.RequestStream.WriteAsync(new AttachPipeRequest { Pipe = pipe, End = end });
        await UntilAsync(async () => await InfoAsync(pipe) is var info && (end == PipeEnd.A ? info.AAttached : info.BAttached));
        return call;
    }

    private static async Task<string> NextAsync(AsyncDuplexStreamingCall<AttachPipeRequest, AttachPipeResponse> call)
    {
        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        return Read(call.ResponseStream.Current.Messages.Single());
    }

    private async Task<PipeInfo> InfoAsync(string pipe) =>
        (await _pipes.ListPipesAsync(new ListPipesRequest { PageSize = 1000 }, Soon)).Pipes.Single(item => item.Spec.Name == pipe);
}
