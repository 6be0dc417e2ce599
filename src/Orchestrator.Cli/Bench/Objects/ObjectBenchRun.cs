using Google.Protobuf;
using Grpc.Net.Client;
using Orchestrator.Cli.Bench.Bare;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Bench.Objects.Partner;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Objects;

/// <summary>
/// The shared resources of one run's shapes: the client, the partner processes and the bare echo, all ended with the run.
/// </summary>
internal sealed class ObjectBenchRun(ObjectBenchSettings settings, OrchestratorClient client, CancellationToken token) : IAsyncDisposable
{
    private readonly List<PartnerProcess> _partners = [];
    private readonly string _prefix = $"bench/{Environment.ProcessId}";
    private BenchProcess? _echo;
    private GrpcChannel? _channel;
    private int _names;

    public ObjectBenchSettings Settings => settings;

    public OrchestratorClient Client => client;

    public QueueService.QueueServiceClient Queues { get; } = new(client.Invoker);

    public PipeService.PipeServiceClient Pipes { get; } = new(client.Invoker);

    public StateService.StateServiceClient State { get; } = new(client.Invoker);

    public SessionService.SessionServiceClient Sessions { get; } = new(client.Invoker);

    /// <summary>A unique name.</summary>
    public string NewName() => $"{_prefix}-{++_names}";

    /// <summary>The first partner processes, as many as requested; started on first use, and kept warm.</summary>
    public async Task<IReadOnlyList<PartnerProcess>> PartnersAsync(int count)
    {
        while (_partners.Count < count)
            _partners.Add(await PartnerProcess.StartAsync(client, token));
        return _partners.GetRange(0, count);
    }

    /// <summary>The single partner process that most shapes need.</summary>
    public async Task<PartnerProcess> PartnerAsync() => (await PartnersAsync(1))[0];

    /// <summary>The baseline of a figure, with its name.</summary>
    /// <param name="figure">The figure.</param>
    /// <param name="itemsPerMessage">The items per message of the figure's last round.</param>
    public async Task<(string Name, ILoadShape Shape)> BaselineAsync(ObjectFigure figure, Func<int> itemsPerMessage)
    {
        _echo ??= await BenchProcess.StartAsync("bench-echo", [], token);
        _channel ??= ClientChannel.Create(new Uri(_echo.Ready));
        var bare = new BareEcho.BareEchoClient(_channel);
        var bytes = figure.ItemBytes ?? settings.Size;
        var data = UnsafeByteOperations.UnsafeWrap(new byte[bytes]);
        return figure.Bare switch
        {
            Yardstick.PingPong => ("bare ping-pong", new BarePingPong(bare, data)),
            Yardstick.TwoPingPongs => ("two bare ping-pongs", new BarePingPong(bare, data, messages: 2)),
            Yardstick.TwoCalls => ("two bare unary calls", TwoCalls(bare, data)),
            _ => ($"bare stream beside {figure.Key}", new BareStreamLoop(
                bare, data, itemsPerMessage, figure.InFlight ?? settings.InFlight)),
        };
    }

    public async ValueTask DisposeAsync()
    {
        _channel?.Dispose();
        if (_echo is not null)
            await _echo.DisposeAsync();
        foreach (var partner in _partners)
            await partner.DisposeAsync();
        for (var i = 1; i <= _names; i++)
        {
            foreach (var kind in (StateKind[])[StateKind.Dict, StateKind.Value])
                await ForgetAsync(kind, $"{_prefix}-{i}");
        }
    }

    private async Task ForgetAsync(StateKind kind, string name)
    {
        try
        {
            await State.DeleteStateAsync(new DeleteStateRequest { Kind = kind, Name = name });
        }
        catch (Grpc.Core.RpcException)
        {
            // There is no object of this kind with the name, or the coordinator has ended, and its state with it.
        }
    }

    private static UnaryLoop TwoCalls(BareEcho.BareEchoClient bare, ByteString data)
    {
        var item = new BareItem { Id = 1, Data = data };
        return new UnaryLoop(
            async (_, cancel) =>
            {
                await bare.EchoAsync(item, cancellationToken: cancel);
                await bare.EchoAsync(item, cancellationToken: cancel);
                return null;
            },
            1,
            1);
    }
}
