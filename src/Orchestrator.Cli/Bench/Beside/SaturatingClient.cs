using System.Globalization;
using Grpc.Core;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Common;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Protocol;

namespace Orchestrator.Cli.Bench.Beside;

/// <summary>
/// Another client, in a process of its own, that keeps a stream full of echo tasks from one line of its input to the next.
/// </summary>
internal sealed class SaturatingClient : IAsyncDisposable
{
    /// <summary>The hidden verb of its process.</summary>
    public const string Verb = "bench-saturate";

    // The credits of a stream.
    private const int InFlight = 4_096;
    private const string Failed = "failed ";

    // From the order until the stream is full.
    private static readonly TimeSpan Beginning = TimeSpan.FromSeconds(0.3);

    private readonly BenchProcess _process;

    private SaturatingClient(BenchProcess process) => _process = process;

    /// <param name="options">How to reach the coordinator.</param>
    /// <param name="size">The size of an input, in bytes.</param>
    /// <param name="token">Gives up.</param>
    /// <exception cref="IOException">It cannot reach the coordinator.</exception>
    public static async Task<SaturatingClient> StartAsync(OrchestratorClientOptions options, int size, CancellationToken token)
    {
        // In the environment: every user can read a process's arguments.
        var environment = new Dictionary<string, string?>
        {
            [OrchestratorClientOptions.EndpointVariable] = options.Endpoint,
            [OrchestratorClientOptions.TokenVariable] = options.Token,
            [OrchestratorClientOptions.CertificateAuthorityVariable] = options.CertificateAuthority,
            [OrchestratorClientOptions.CertificateVariable] = options.Certificate,
            [OrchestratorClientOptions.KeyVariable] = options.Key,
            [ProtocolConstants.DataDirectoryVariable] = options.DataDirectory,
        }.Where(pair => pair.Value is not null).ToDictionary(pair => pair.Key, pair => pair.Value!);
        return new SaturatingClient(
            await BenchProcess.StartAsync(Verb, [size.ToString(CultureInfo.InvariantCulture)], token, environment));
    }

    /// <summary>Saturates the workers while something else is measured.</summary>
    /// <returns>What was measured, and how many tasks a second this client ran beside it.</returns>
    /// <exception cref="IOException">Its tasks failed, or its process has ended.</exception>
    public async Task<(T Measured, double PerSecond)> BesideAsync<T>(Func<Task<T>> measure, CancellationToken token)
    {
        await OrderAsync("begin", token);
        await Task.Delay(Beginning, TimeProvider.System, token);
        var measured = await measure();
        await OrderAsync("end", token);
        var line = await _process.Output.ReadLineAsync(token) ?? throw new IOException("the saturating client has ended");
        return line.StartsWith(Failed, StringComparison.Ordinal)
            ? throw new IOException($"the saturating client: {line[Failed.Length..]}")
            : (measured, double.Parse(line, CultureInfo.InvariantCulture));
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    /// <summary>Its process: serves until its standard input ends.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        using var ignoring = BenchProcess.IgnoreInterrupts();
        await using var client = await OrchestratorClient.ConnectAsync();
        var input = Payloads.FromBytes(new byte[int.Parse(args[0], CultureInfo.InvariantCulture)]);
        var loop = new TaskStreamLoop([client], new TaskLoad("echo", input, null), InFlight);
        await Console.Out.WriteLineAsync(BenchProcess.ReadyPrefix);
        while (await Console.In.ReadLineAsync() is not null)
            await Console.Out.WriteLineAsync(await SaturateAsync(loop));
        return ExitCode.Ok;
    }

    private static async Task<string> SaturateAsync(TaskStreamLoop loop)
    {
        using var ending = new CancellationTokenSource();
        var plan = new RoundPlan(TimeSpan.FromDays(1), 0) { Until = ending.Token };
        var running = Task.Run(() => loop.RunAsync(plan, CancellationToken.None));
        await Console.In.ReadLineAsync();
        await ending.CancelAsync();
        try
        {
            var round = await running;
            return round.FirstError is { } error
                ? Failed + Output.Format.FirstLine(error) : round.PerSecond.ToString(CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is OrchestratorException or RpcException)
        {
            return Failed + Output.Format.FirstLine(exception.Message);
        }
    }

    private async Task OrderAsync(string order, CancellationToken token)
    {
        await _process.Input.WriteLineAsync(order.AsMemory(), token);
        await _process.Input.FlushAsync(token);
    }
}
