using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>Hostile or broken clients: they are dropped, the server lives, others are served.</summary>
[Trait("Kind", "slow")]
public sealed class HostileClientTests : IAsyncLifetime
{
    private const string Method = "/orchestrator.v1.TaskService/StreamTasks";

    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(60));
    private CoordinatorProcess _coordinator = null!;

    public async ValueTask InitializeAsync() => _coordinator = await CoordinatorProcess.StartAsync("--workers", "1");

    public async ValueTask DisposeAsync()
    {
        await _coordinator.DisposeAsync();
        _limit.Dispose();
    }

    [Fact]
    public async Task Headers_that_never_end_are_dropped()
    {
        // Fifty that begin and go silent: the header timeout ends each.
        var connections = Enumerable.Range(0, 50).Select(_ => new RawHttp2(_coordinator.GrpcAddress)).ToArray();
        foreach (var connection in connections)
            Assert.True(await connection.Begin().Call(1, Method, flags: 0).SendAsync(_limit.Token));
        // And as many that send nothing at all, on both ports.
        connections = [.. connections, .. Enumerable.Range(0, 50).Select(
            i => new RawHttp2(i % 2 == 0 ? _coordinator.GrpcAddress : _coordinator.HttpAddress))];
        await AssertServesOthersAsync();
        foreach (var connection in connections)
        {
            await connection.ReadToEndAsync(_limit.Token);
            connection.Dispose();
        }

        await AssertServesOthersAsync();
    }

    [Fact]
    public async Task A_header_block_without_end_is_dropped_at_its_limit()
    {
        using var connection = new RawHttp2(_coordinator.GrpcAddress);
        await connection.Begin().Call(1, Method, flags: 0).SendAsync(_limit.Token);
        var more = RawHttp2.Encode([.. Enumerable.Range(0, 50).Select(i => ($"x-filler-{i}", new string('x', 100)))]);
        var closed = connection.ReadToEndAsync(_limit.Token);
        var sent = 0;
        while (!closed.IsCompleted && await connection.Frame(RawHttp2.Continuation, 0, 1, more).SendAsync(_limit.Token))
            Assert.True(++sent < 10_000, "50 MB of headers were taken");
        await closed;
        await AssertServesOthersAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Streams_that_are_reset_at_once_end_the_connection_or_are_held_back(bool hasCredential)
    {
        using var connection = new RawHttp2(_coordinator.GrpcAddress);
        (string, string)[] credential = hasCredential ? [("authorization", $"Bearer {_coordinator.Token}")] : [];
        connection.Begin();
        var closed = connection.ReadToEndAsync(_limit.Token);
        var serving = AssertServesOthersAsync();
        var flooding = FloodAsync();
        await serving;
        // Without a credential it is read so slowly that it never ends.
        if (hasCredential)
            await flooding;
        // Whether the server ended or tolerated it: the next connections are served.
        connection.Dispose();
        await flooding;
        await AssertServesOthersAsync();
        await AssertNothingIsLeftAsync();

        async Task FloodAsync()
        {
            try
            {
                for (var stream = 1; stream < 200_000 && !closed.IsCompleted; stream += 2)
                {
                    connection.Call(stream, Method, more: credential).Frame(RawHttp2.ResetStream, 0, stream, [0, 0, 0, RawHttp2.Cancel]);
                    if (stream % 100 == 1 && !await connection.SendAsync(_limit.Token))
                        break;
                }
            }
            catch (ObjectDisposedException)
            {
                // The test has ended the connection.
            }
        }
    }

    [Fact]
    public async Task More_streams_than_allowed_are_refused()
    {
        using var connection = new RawHttp2(_coordinator.GrpcAddress);
        connection.Begin();
        for (var i = 0; i < 10_000; i++)
            connection.Call((2 * i) + 1, Method);
        var closed = connection.ReadToEndAsync(_limit.Token);
        await connection.SendAsync(_limit.Token);
        await AssertServesOthersAsync();
        connection.Dispose();
        // Either each request was rejected, or the connection was closed.
        await Record.ExceptionAsync(() => closed);
        await AssertNothingIsLeftAsync();
    }

    [Theory]
    [InlineData(RawHttp2.Ping, 8)]
    [InlineData(RawHttp2.Settings, 0)]
    public async Task A_flood_of_small_frames_that_want_answers_which_nobody_reads_harms_nobody(byte type, int bytes)
    {
        using var connection = new RawHttp2(_coordinator.GrpcAddress);
        connection.Begin();
        var before = await MemoryAsync();
        // It may stop reading when its responses are not read; then this ends at the limit.
        using var until = CancellationTokenSource.CreateLinkedTokenSource(_limit.Token);
        var flood = FloodAsync(connection, type, new byte[bytes], until.Token);
        await AssertServesOthersAsync();
        for (var i = 0; i < 100; i++)
            await AssertServesOthersAsync();
        await until.CancelAsync();
        await Record.ExceptionAsync(() => flood);
        Assert.True(await MemoryAsync() < before + (256L << 20), "its memory has grown by more than 256 MB");
    }

    [Fact]
    public async Task What_is_no_http2_is_dropped()
    {
        foreach (var garbage in new byte[][] { "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray(),
            [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3], new byte[10_000] })
        {
            using var connection = new RawHttp2(_coordinator.GrpcAddress);
            await connection.Bytes(garbage).SendAsync(_limit.Token);
            await connection.ReadToEndAsync(_limit.Token);
        }

        // And frames that violate the protocol, after a valid preface.
        foreach (var (type, stream, payload) in new (byte, int, byte[])[]
        {
            (RawHttp2.Data, 1, [1, 2, 3]), (RawHttp2.Headers, 2, [0x82]), (RawHttp2.Headers, 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            (RawHttp2.Ping, 0, [1]), (RawHttp2.Settings, 0, [1, 2, 3]), (RawHttp2.Continuation, 1, [0x82]),
        })
        {
            using var connection = new RawHttp2(_coordinator.GrpcAddress);
            await connection.Begin().Frame(type, RawHttp2.EndHeaders, stream, payload).SendAsync(_limit.Token);
            var frames = await connection.ReadToEndAsync(_limit.Token);
            Assert.Contains(frames, frame => frame.Type == RawHttp2.GoAway);
        }

        await AssertServesOthersAsync();
    }

    private static async Task FloodAsync(RawHttp2 connection, byte type, byte[] payload, CancellationToken cancellationToken)
    {
        do
        {
            for (var i = 0; i < 1_000; i++)
                connection.Frame(type, 0, 0, payload);
        }
        while (await connection.SendAsync(cancellationToken));
    }

    private async Task AssertServesOthersAsync()
    {
        var result = await _coordinator.RunAsync(Specs.Json("sum_of_squares", """{"n": 4}"""));
        Assert.Equal(TaskState.Succeeded, result.State);
    }

    private async Task AssertNothingIsLeftAsync()
    {
        while ((await _coordinator.Admin.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline())).Status.Streams > 0)
            _limit.Token.ThrowIfCancellationRequested();
    }

    private async Task<ulong> RssAsync() =>
        (await _coordinator.Admin.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline())).Status.Coordinator.RssBytes;

    private async Task<long> MemoryAsync() => (long)await RssAsync();
}
