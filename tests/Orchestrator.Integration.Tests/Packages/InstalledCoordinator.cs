using System.Diagnostics;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Packages;

/// <summary>The installed command, as <c>orchestrator serve</c>.</summary>
internal sealed class InstalledCoordinator : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly Process _process;

    private InstalledCoordinator(Process process) => _process = process;

    /// <summary>Starts it on free ports, and waits until it is ready.</summary>
    public static async Task<InstalledCoordinator> StartAsync(PackageFeed feed, string directory, params string[] arguments)
    {
        var start = new ProcessStartInfo(
            feed.Tool, ["serve", "--grpc-port", "0", "--http-port", "0", "--data-dir", directory, .. arguments])
        {
            RedirectStandardOutput = true,
        };
        foreach (var (name, value) in feed.Environment())
            start.Environment[name] = value;
        var coordinator = new InstalledCoordinator(Process.Start(start)!);
        try
        {
            await coordinator.ReadyAsync().WaitAsync(Limit);
            return coordinator;
        }
        catch
        {
            await coordinator.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            Signals.Send(_process.Id, Signals.Term);
        await _process.WaitForExitAsync().WaitAsync(Limit);
        _process.Dispose();
    }

    private async Task ReadyAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("Orchestrator is ready", StringComparison.Ordinal))
            {
                // Goes on reading, or the command would wait for room in the pipe.
                _ = _process.StandardOutput.ReadToEndAsync();
                return;
            }
        }

        throw new InvalidOperationException("the coordinator ended before it was ready");
    }
}
