using Google.Protobuf;
using Grpc.Net.Client;
using Orchestrator.Cli.Bench.Bare;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Client;
using Orchestrator.Client.Connection;

namespace Orchestrator.Cli.Bench;

/// <summary>
/// The measurements of <c>bench tasks --baseline</c>: our load shapes, and the same shapes on bare gRPC without
/// orchestration. Rounds alternate, so that both run under the same conditions of the machine.
/// </summary>
internal sealed class BaselineSuite : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _processes = [];
    private readonly List<GrpcChannel> _channels = [];
    private readonly List<OrchestratorClient> _overGrpc = [];
    private readonly string _directory = Directory.CreateTempSubdirectory("orchestrator-bench-").FullName;
    private readonly List<(string Name, ILoadShape Shape)> _figures = [];
    private int _itemsPerMessage = 64;

    private BaselineSuite()
    {
    }

    /// <summary>The figures in the order of measurement.</summary>
    public IReadOnlyList<(string Name, ILoadShape Shape)> Figures => _figures;

    public static async Task<BaselineSuite> StartAsync(
        TaskBenchSettings settings, IReadOnlyList<OrchestratorClient> clients, CancellationToken token)
    {
        var suite = new BaselineSuite();
        try
        {
            await suite.BuildAsync(settings, clients, token);
            return suite;
        }
        catch
        {
            await suite.DisposeAsync();
            throw;
        }
    }

    /// <summary>The batch size of the bare streams: the size that our client has just sent.</summary>
    public void MatchBatches(RoundResult ours) =>
        _itemsPerMessage = Math.Max(1, (int)Math.Round(ours.ItemsPerMessage ?? 1));

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _overGrpc)
            await client.DisposeAsync();
        foreach (var channel in _channels)
            channel.Dispose();
        // The proxy first: it is a client of the echo processes.
        foreach (var process in Enumerable.Reverse(_processes))
            await process.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task BuildAsync(TaskBenchSettings settings, IReadOnlyList<OrchestratorClient> clients, CancellationToken token)
    {
        var sockets = new[] { Path.Combine(_directory, "echo-1"), Path.Combine(_directory, "echo-2") };
        var echo = Add(await BenchProcess.StartAsync("bench-echo", [sockets[0]], token));
        Add(await BenchProcess.StartAsync("bench-echo", [sockets[1]], token));
        var proxy = Add(await BenchProcess.StartAsync("bench-proxy", sockets, token));

        var data = UnsafeByteOperations.UnsafeWrap(new byte[settings.Size]);
        var item = new BareItem { Id = 1, Data = data };
        var tcp = Connect(ClientChannel.Create(new Uri(echo.Ready)));
        var unix = Connect(BareServer.ConnectUnix(sockets[0]));
        var hops = Connect(ClientChannel.Create(new Uri(proxy.Ready)));
        var load = settings.Load;
        foreach (var client in clients)
            _overGrpc.Add(await OverGrpcAsync(client, token));
        var one = _overGrpc.Take(1).ToArray();
        var isLocal = clients.All(client => client.UsesLocalTransport);
        var oneLocal = clients.Take(1).ToArray();

        _figures.Add((Figure.StreamFull, new TaskStreamLoop(_overGrpc, load, settings.InFlight)));
        if (isLocal)
            _figures.Add((Figure.LocalStreamFull, new TaskStreamLoop(clients, load, settings.InFlight)));
        _figures.Add((Figure.BareProxy, new BareStreamLoop(hops, data, () => _itemsPerMessage, settings.InFlight)));
        _figures.Add((Figure.BareStreamTcp, new BareStreamLoop(tcp, data, () => _itemsPerMessage, settings.InFlight)));
        _figures.Add((Figure.BareStreamUnix, new BareStreamLoop(unix, data, () => _itemsPerMessage, settings.InFlight)));
        _figures.Add((Figure.StreamOne, new TaskStreamLoop(one, load, 1)));
        if (isLocal)
            _figures.Add((Figure.LocalStreamOne, new TaskStreamLoop(oneLocal, load, 1)));
        _figures.Add((Figure.BareUnaryTcp, Unary(tcp, 1)));
        _figures.Add((Figure.UnaryOne, new UnaryLoop((_, cancel) => load.RunAsync(one[0], cancel), 1, 1)));
        if (isLocal)
            _figures.Add((Figure.LocalUnaryOne, new UnaryLoop((_, cancel) => load.RunAsync(oneLocal[0], cancel), 1, 1)));
        _figures.Add((Figure.BareUnaryUnix, Unary(unix, 1)));
        _figures.Add((Figure.BarePingPongTcp, new BarePingPong(tcp, data)));
        _figures.Add((Figure.BarePingPongUnix, new BarePingPong(unix, data)));
        _figures.Add((Figure.BareProxyPingPong, new BarePingPong(hops, data)));
        _figures.Add((Figure.BareUnary64Tcp, Unary(tcp, 64)));
        _figures.Add((Figure.Unary64, new UnaryLoop((_, cancel) => load.RunAsync(one[0], cancel), 1, 64)));
        if (isLocal)
            _figures.Add((Figure.LocalUnary64, new UnaryLoop((_, cancel) => load.RunAsync(oneLocal[0], cancel), 1, 64)));
        _figures.Add((Figure.BareUnary64Unix, Unary(unix, 64)));
        _figures.Add((Figure.BareProxyUnary64, Unary(hops, 64)));

        UnaryLoop Unary(BareEcho.BareEchoClient client, int inFlight) => new(
            async (_, cancel) =>
            {
                await client.EchoAsync(item, cancellationToken: cancel);
                return null;
            },
            1,
            inFlight);
    }

    /// <summary>Another client of the coordinator, which reaches it by its address.</summary>
    private static Task<OrchestratorClient> OverGrpcAsync(OrchestratorClient client, CancellationToken token) =>
        OrchestratorClient.ConnectAsync(client.Options with { Endpoint = client.Address.ToString(), Token = client.Token }, token);

    private BenchProcess Add(BenchProcess process)
    {
        _processes.Add(process);
        return process;
    }

    private BareEcho.BareEchoClient Connect(GrpcChannel channel)
    {
        _channels.Add(channel);
        return new BareEcho.BareEchoClient(channel);
    }
}

/// <summary>Names of the figures.</summary>
internal static class Figure
{
    public const string StreamFull = "StreamTasks over gRPC, pipelined";
    public const string StreamOne = "StreamTasks over gRPC, one at a time";
    public const string UnaryOne = "RunTask over gRPC, one at a time";
    public const string Unary64 = "RunTask over gRPC, 64 in flight";

    public const string LocalStreamFull = "StreamTasks over local transport, pipelined";
    public const string LocalStreamOne = "StreamTasks over local transport, one at a time";
    public const string LocalUnaryOne = "RunTask over local transport, one at a time";
    public const string LocalUnary64 = "RunTask over local transport, 64 in flight";

    public const string BareProxy = "bare two-hop proxy, batches";
    public const string BareStreamTcp = "bare stream TCP, batches";
    public const string BareStreamUnix = "bare stream Unix, batches";
    public const string BareUnaryTcp = "bare unary TCP, one at a time";
    public const string BareUnaryUnix = "bare unary Unix, one at a time";
    public const string BarePingPongTcp = "bare ping-pong TCP";
    public const string BarePingPongUnix = "bare ping-pong Unix";
    public const string BareProxyPingPong = "bare two-hop proxy, ping-pong";
    public const string BareUnary64Tcp = "bare unary TCP, 64 in flight";
    public const string BareUnary64Unix = "bare unary Unix, 64 in flight";
    public const string BareProxyUnary64 = "bare two-hop proxy, unary, 64 in flight";
}
