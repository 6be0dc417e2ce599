using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Orchestrator.Cli.Output;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Protocol;

namespace Orchestrator.Cli.Doctor;

/// <summary>Checks of the coordinator, or of the ports on which one would listen.</summary>
internal static class CoordinatorChecks
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static async Task<IReadOnlyList<Check>> RunAsync(
        OrchestratorClientOptions options, string dataDirectory, CancellationToken token)
    {
        var usual = new CoordinatorOptions();
        var reached = await ReachAsync(options, dataDirectory, token);
        var ours = Ports(Path.Combine(dataDirectory, ProtocolConstants.EndpointFileName));
        return [Port("gRPC port", usual.GrpcPort, "--grpc-port", ours), Port("HTTP port", usual.HttpPort, "--http-port", ours), .. reached];
    }

    internal static Check Port(string name, int port, string option, IReadOnlySet<int> ours)
    {
        if (ours.Contains(port))
            return Check.Ok(name, $"{port}, used by the coordinator");
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return Check.Ok(name, $"{port}, free");
        }
        catch (SocketException exception)
        {
            return new(name, Verdict.Warn, $"{port} on 127.0.0.1 is not to be had: {exception.Message}",
                $"serve with {option} 0, which picks a free one, or end what listens there ('ss -ltnp sport = :{port}')");
        }
    }

    private static async Task<IReadOnlyList<Check>> ReachAsync(
        OrchestratorClientOptions options, string dataDirectory, CancellationToken token)
    {
        const string Name = "coordinator";
        var file = Path.Combine(dataDirectory, ProtocolConstants.EndpointFileName);
        var named = !string.IsNullOrEmpty(options.Endpoint)
            || (string.IsNullOrEmpty(options.DataDirectory)
                && !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(OrchestratorClientOptions.EndpointVariable)));
        if (!named && !File.Exists(file))
            return [new(Name, Verdict.Warn, "none runs here", "start one with 'orchestrator serve', or name one with --endpoint")];
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(token);
        limit.CancelAfter(Patience);
        try
        {
            await using var client = await OrchestratorClient.ConnectAsync(options, limit.Token);
            var status = await client.Contract.GetStatusAsync(limit.Token);
            var ready = status.Workers.Count(worker => worker.State == V1.WorkerState.Ready);
            var finding = $"{Format.Address(client.Address)}, version {status.Version}, {ready} of {status.Workers.Count} workers ready";
            return
            [
                status.Draining ? new(Name, Verdict.Warn, finding + ", draining", "it takes no new tasks: start another, or start it anew")
                    : WorkerNotes.HasLostGroup(status) ? new(Name, Verdict.Fail, $"{finding}. {string.Join(' ', WorkerNotes.Of(status))}",
                        "mend what its last words name; 'orchestrator recycle' starts those anew that were given up")
                    : ready < status.Workers.Count ? new(Name, Verdict.Warn, string.Join(' ', WorkerNotes.Of(status).Prepend(finding +
                        ".")), "'orchestrator workers' says why; 'orchestrator recycle' starts those anew that were given up")
                    : Check.Ok(Name, finding),
                status.Version == OwnVersion ? Check.Ok("version", OwnVersion)
                    : new("version", Verdict.Warn, $"this command is {OwnVersion}, the coordinator {status.Version}",
                        "use the command of the coordinator's version"),
            ];
        }
        catch (CoordinatorUnavailableException exception)
        {
            return [new(Name, Verdict.Fail, exception.Message, named
                ? "mend the address, or start one there" : $"its coordinator was killed: 'orchestrator serve' starts another")];
        }
        catch (AccessDeniedException exception)
        {
            return [new(Name, Verdict.Fail, exception.Message, $"name its token with --token, or its data directory with --data-dir")];
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            return [new(Name, Verdict.Fail, $"does not answer within {Patience.TotalSeconds} s",
                "look at its log, and whether its process is stopped or the machine is out of memory")];
        }
    }

    private static string OwnVersion => typeof(CoordinatorChecks).Assembly.GetName().Version?.ToString(3) ?? "0";

    private static int PortOf(JsonNode content, string key) => new Uri(content[key]?.GetValue<string>() ?? "").Port;

    private static HashSet<int> Ports(string file)
    {
        try
        {
            var content = JsonNode.Parse(File.ReadAllText(file));
            return content?["pid"]?.GetValue<int>() is { } pid && Directory.Exists($"/proc/{pid}")
                ? [PortOf(content, "grpc"), PortOf(content, "http")]
                : [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or System.Text.Json.JsonException
            or UriFormatException or InvalidOperationException)
        {
            return [];
        }
    }
}
