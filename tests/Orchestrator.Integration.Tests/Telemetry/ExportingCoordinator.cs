using Orchestrator.Integration.Tests.Interop;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Otlp;

namespace Orchestrator.Integration.Tests.Telemetry;

/// <summary>
/// A coordinator that exports to a collector, with workers of its own, those of this kit, which export their spans, too, and those in
/// Python, which do not.
/// </summary>
public sealed class ExportingCoordinator : IAsyncLifetime
{
    public OtlpReceiver Receiver { get; private set; } = null!;

    public CoordinatorProcess Coordinator { get; private set; } = null!;

    public PythonStubs Stubs { get; } = new();

    public async ValueTask InitializeAsync()
    {
        await Stubs.InitializeAsync();
        Receiver = await OtlpReceiver.StartAsync();
        var kit = $"testkit=1:/usr/bin/env {TestWorker.Variable}=1 {TestWorker.CollectorVariable}={Receiver.Address} " +
            Environment.ProcessPath;
        var python = $"python=1:/usr/bin/env PYTHONDONTWRITEBYTECODE=1 'PYTHONPATH={Stubs.Directory}' {PythonStubs.Interpreter} " +
            $"'{(Stubs.Missing is null ? Stubs.ScriptOf("worker.py") : "")}'";
        Coordinator = await CoordinatorProcess.StartAsync(
            // OpenTelemetry's own: usual are 60 s for metrics and 5 s for the others.
            new Dictionary<string, string>
            {
                ["OTEL_METRIC_EXPORT_INTERVAL"] = "300",
                ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
                ["OTEL_BLRP_SCHEDULE_DELAY"] = "100",
            },
            [
                "--workers", "1", "--allow-chaos", "--otlp", Receiver.Address, "--otlp-logs", "--worker-command", kit,
                .. Stubs.Missing is null ? (string[])["--worker-command", python] : [],
            ]);
    }

    public async ValueTask DisposeAsync()
    {
        if (Coordinator is not null)
            await Coordinator.DisposeAsync();
        if (Receiver is not null)
            await Receiver.DisposeAsync();
        await Stubs.DisposeAsync();
    }
}
