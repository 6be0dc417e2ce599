using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Grpc.Core;
using Grpc.Health.V1;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Load;
using Orchestrator.V1;
using TaskState = Orchestrator.V1.TaskState;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>
/// Part 5, 13: a caller without a credential is rejected by its headers, and costs the process almost no memory; incomplete requests are
/// bounded for all.
/// </summary>
[Trait("Kind", "slow")]
public sealed class CredentialFirstTests : IDisposable
{
    private const long OfStranger = 256 * 1024;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    // One of each kind; with the long form, streams too.
    public static TheoryData<string> Methods => [.. ((string[])
    [
        "/orchestrator.v1.TaskService/SubmitTasks", "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/Watch", "/orchestrator.v1.TaskService/StreamTasks",
    ]).Take(Settings.Number("ORCHESTRATOR_STRANGER_METHODS", 2))];

    private readonly CancellationTokenSource _limit = new(Limit);

    public void Dispose() => _limit.Dispose();

    /// <summary>Part 5, 13: every method is rejected before a byte of its body is read, compressed or not.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_method_is_refused_by_its_headers_alone(bool isCompressed)
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--hot-spares", "0");
        foreach (var (service, method) in await RpcCatalogue.ReadAsync(coordinator.Invoker))
        {
            using var connection = new RawHttp2(coordinator.GrpcAddress);
            connection.Begin().Call(1, $"/{service}/{method}", more: isCompressed ? [("grpc-encoding", "gzip")] : []);
            // Not gzip at all: decompressing it would fail.
            if (isCompressed)
                connection.Frame(RawHttp2.Data, 0, 1, [1, 0, 0, 0, 4, 1, 2, 3, 4]);
            await connection.SendAsync(_limit.Token);
            Assert.True(await AnswerAsync(connection) is { } status && status == StatusCode.Unauthenticated, $"{service}/{method}");
        }
    }

    /// <summary>Part 5, 13: the data of 200 connections without a credential is not kept, whether the method is rejected or open.</summary>
    [Theory]
    [MemberData(nameof(Methods))]
    public async Task A_connection_without_a_credential_makes_the_process_keep_at_most_256_KB(string method)
    {
        const int Connections = 200;
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--hot-spares", "0");
        // What the process allocates for the first connections, such as compiled code, does not depend on their number.
        await HoldAsync(coordinator, method, 20);
        var before = await MemoryAsync(coordinator);
        var most = await HoldAsync(coordinator, method, Connections);
        TestContext.Current.SendDiagnosticMessage($"{method}: {(most - before) / Connections:N0} bytes each");
        Assert.True(
            most - before < Connections * OfStranger, $"{Connections} connections hold {(most - before) / Connections:N0} bytes each");
    }

    /// <summary>The coordinator's peak memory while this many connections have sent what they can.</summary>
    private async Task<long> HoldAsync(CoordinatorProcess coordinator, string method, int count)
    {
        const int Streams = 48;
        const int Each = 30_000;
        var connections = new List<RawHttp2>();
        using var sending = CancellationTokenSource.CreateLinkedTokenSource(_limit.Token);
        var sends = new List<Task>();
        try
        {
            for (var i = 0; i < count; i++)
            {
                var connection = new RawHttp2(coordinator.GrpcAddress);
                connections.Add(connection);
                connection.Begin();
                // 1.4 MB of messages that declare a greater length, all within the windows of HTTP/2's defaults or the server's settings.
                for (var stream = 0; stream < Streams; stream++)
                {
                    var begin = new byte[Each];
                    BinaryPrimitives.WriteInt32BigEndian(begin.AsSpan(1), 60_000);
                    connection.Call((2 * stream) + 1, method);
                    for (var sent = 0; sent < Each; sent += 15_000)
                        connection.Frame(RawHttp2.Data, 0, (2 * stream) + 1, begin.AsSpan(sent, 15_000));
                }

                sends.Add(connection.SendAsync(sending.Token));
            }

            // Each poll is a call, which is served meanwhile.
            var most = 0L;
            for (var look = 0; look < 150; look++)
                most = Math.Max(most, await MemoryAsync(coordinator));
            return most;
        }
        finally
        {
            await sending.CancelAsync();
            foreach (var send in sends)
                await Record.ExceptionAsync(() => send);
            connections.ForEach(connection => connection.Dispose());
        }
    }

    /// <summary>
    /// Part 5, 13: incomplete messages with a credential count, too: 48 streams of 31 MB are rejected within the budget, while others are
    /// served.
    /// </summary>
    [Fact]
    public async Task Incomplete_messages_of_a_client_stay_within_the_memory_budget()
    {
        const long Budget = 300L << 20;
        await using var coordinator = await CoordinatorProcess.StartAsync(
            "--memory-budget", "300MB", "--workers", "1", "--hot-spares", "0");
        using var handler = new SocketsHttpHandler { UseProxy = false };
        using var http = new HttpClient(handler) { Timeout = Limit };
        var never = new TaskCompletionSource();
        var calls = Enumerable.Range(0, 48).Select(
            _ => PostAsync(http, coordinator, "TaskService/SubmitTasks", 31 << 20, 30 << 20, never.Task)).ToList();
        var most = 0L;
        while (calls.Any(call => !call.IsCompleted) && (calls.Count(call => call.IsCompleted) < 40))
        {
            most = Math.Max(most, await MemoryAsync(coordinator));
            _limit.Token.ThrowIfCancellationRequested();
        }

        Assert.True(most < Budget, $"{most:N0} bytes");
        foreach (var call in calls.Where(call => call.IsCompleted))
            Assert.Equal(StatusCode.ResourceExhausted, await call);
        var limits = (await coordinator.Admin.ListLimitsAsync(
            new ListLimitsRequest(), CoordinatorProcess.Deadline())).Limits.ToDictionary(limit => limit.Name);
        Assert.InRange(limits["incoming_bytes"].Used, 0, limits["incoming_bytes"].Maximum);
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("sum_of_squares", """{"n": 3}"""))).State);
        never.SetResult();
        http.CancelPendingRequests();
        foreach (var call in calls)
            await Record.ExceptionAsync(() => call);
        // The calls release their bytes when they end.
        await UntilAsync(async () => (await coordinator.Admin.ListLimitsAsync(
            new ListLimitsRequest(), CoordinatorProcess.Deadline())).Limits.Single(limit => limit.Name == "incoming_bytes").Used == 0);
    }

    /// <summary>Part 5, 13: an open method takes 64 KB.</summary>
    [Fact]
    public async Task An_open_method_takes_no_more_than_64_KB()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--hot-spares", "0");
        var health = new Health.HealthClient(coordinator.Connect(""));
        Assert.Equal(StatusCode.NotFound, await StatusOf(60_000));
        Assert.Equal(StatusCode.ResourceExhausted, await StatusOf(66_000));
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving,
            (await health.CheckAsync(new HealthCheckRequest(), CoordinatorProcess.Deadline())).Status);

        async Task<StatusCode> StatusOf(int bytes) => (await Assert.ThrowsAsync<RpcException>(
            async () => await health.CheckAsync(
                new HealthCheckRequest { Service = new string('x', bytes) }, CoordinatorProcess.Deadline()))).StatusCode;
    }

    private static async Task<long> MemoryAsync(CoordinatorProcess coordinator) =>
        (long)(await coordinator.Admin.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline())).Status.Coordinator.RssBytes;

    /// <summary>A unary call of whose message only a part is sent; returns its status.</summary>
    private static async Task<StatusCode> PostAsync(
        HttpClient http, CoordinatorProcess coordinator, string method, int length, int sent, Task until)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"{coordinator.GrpcAddress}/orchestrator.v1.{method}"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new PartContent(length, sent, until),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", coordinator.Token);
        request.Headers.TE.ParseAdd("trailers");
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.True(response.Headers.TryGetValues("grpc-status", out var status), response.ToString());
        return (StatusCode)int.Parse(status.Single(), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>The status in the first response's headers, which this server sends as plain literals.</summary>
    private async Task<StatusCode?> AnswerAsync(RawHttp2 connection)
    {
        while (await connection.ReadAsync(_limit.Token) is { } frame)
        {
            if (frame.Type != RawHttp2.Headers)
                continue;
            var text = Encoding.Latin1.GetString(frame.Payload);
            var at = text.IndexOf("grpc-status", StringComparison.Ordinal);
            return at < 0 ? null : (StatusCode)int.Parse(text.AsSpan(
                at + "grpc-status".Length + 1, text[at + "grpc-status".Length]), System.Globalization.CultureInfo.InvariantCulture);
        }

        return null;
    }

    private sealed class PartContent : HttpContent
    {
        private static readonly byte[] Zeros = new byte[64 * 1024];
        private readonly int _length;
        private readonly int _sent;
        private readonly Task _until;

        public PartContent(int length, int sent, Task until)
        {
            (_length, _sent, _until) = (length, sent, until);
            Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            var head = new byte[5];
            BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(1), _length);
            await stream.WriteAsync(head);
            for (var sent = 0; sent < _sent; sent += Zeros.Length)
                await stream.WriteAsync(Zeros);
            await stream.FlushAsync();
            await _until;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
