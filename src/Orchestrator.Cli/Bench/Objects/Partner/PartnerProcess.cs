using Orchestrator.Cli.Bench.Load;
using Orchestrator.Client;
using Orchestrator.Client.Connection;

namespace Orchestrator.Cli.Bench.Objects.Partner;

/// <summary>A second client process, for measurements that need two: it runs one job of <see cref="PartnerJobs"/> at a time.</summary>
internal sealed class PartnerProcess : IAsyncDisposable
{
    public const string Verb = "bench-partner";

    private readonly BenchProcess _process;

    private PartnerProcess(BenchProcess process) => _process = process;

    public static async Task<PartnerProcess> StartAsync(OrchestratorClient client, CancellationToken token)
    {
        // In the environment: every user can read a process's arguments.
        var environment = new Dictionary<string, string> { [OrchestratorClientOptions.TokenVariable] = client.Token ?? "" };
        // As this process connects, so that both use the same transport.
        return new PartnerProcess(await BenchProcess.StartAsync(
            Verb, [client.Options.Endpoint ?? "", client.Options.DataDirectory ?? ""], token, environment));
    }

    /// <summary>Runs a job in the partner, and returns its result.</summary>
    /// <exception cref="IOException">The job failed, or the partner has ended.</exception>
    public async Task<PartnerReport> DoAsync(string job, RoundPlan plan, string name, CancellationToken token, string extra = "")
    {
        await _process.Input.WriteLineAsync(
            FormattableString.Invariant($"{job} {plan.Duration.TotalSeconds} {plan.Count} {name} {extra}").AsMemory(), token);
        await _process.Input.FlushAsync(token);
        var line = await _process.Output.ReadLineAsync(token) ?? throw new IOException($"the partner process ended while it was to {job}");
        return PartnerReport.Parse(line);
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}

/// <summary>The result of a partner's job.</summary>
/// <param name="Operations">The number of operations.</param>
/// <param name="Latency">The duration of each, if the job measures it.</param>
internal sealed record PartnerReport(long Operations, LatencyRecorder Latency)
{
    private const string Done = "done ";
    private const string Failed = "failed ";

    public static PartnerReport Parse(string line)
    {
        if (!line.StartsWith(Done, StringComparison.Ordinal))
            throw new IOException(
                $"the partner process: {(line.StartsWith(Failed, StringComparison.Ordinal) ? line[Failed.Length..] : line)}");
        var parts = line[Done.Length..].Split(' ', 2);
        var latency = new LatencyRecorder();
        latency.AddText(parts[1]);
        return new PartnerReport(long.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture), latency);
    }

    public static string Failure(Exception exception) => Failed + Output.Format.FirstLine(exception.Message);

    public override string ToString() => FormattableString.Invariant($"{Done}{Operations} {Latency.ToText()}");
}
