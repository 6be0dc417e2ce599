using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Interop;

/// <summary>A coordinator with one .NET worker and a group of two Python workers, which are not pinned to cores.</summary>
public sealed class PythonWorkers : IAsyncLifetime
{
    private CoordinatorProcess? _coordinator;

    public PythonStubs Stubs { get; } = new();

    /// <summary>The coordinator; skips the test where there is no Python.</summary>
    public CoordinatorProcess Coordinator
    {
        get
        {
            Assert.SkipWhen(Stubs.Missing is not null, Stubs.Missing ?? "");
            return _coordinator!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        await Stubs.InitializeAsync();
        if (Stubs.Missing is null)
            _coordinator = await StartAsync(Stubs);
    }

    public async ValueTask DisposeAsync()
    {
        if (_coordinator is not null)
            await _coordinator.DisposeAsync();
        await Stubs.DisposeAsync();
    }

    /// <summary>Starts another coordinator.</summary>
    public static Task<CoordinatorProcess> StartAsync(PythonStubs stubs) => CoordinatorProcess.StartAsync(
        "--workers", "1", "--no-pinning", "--worker-command",
        $"python=2:/usr/bin/env PYTHONDONTWRITEBYTECODE=1 'PYTHONPATH={stubs.Directory}' {PythonStubs.Interpreter} " +
        $"'{stubs.ScriptOf("worker.py")}'");
}
