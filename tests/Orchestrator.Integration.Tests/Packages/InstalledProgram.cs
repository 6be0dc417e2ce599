using System.Diagnostics;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Packages;

/// <summary>A program that serves until it is ended by SIGTERM, with the variables of those that use the packages.</summary>
internal sealed class InstalledProgram : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly Process _process;

    private InstalledProgram(Process process) => _process = process;

    /// <summary>The line that said that it is ready.</summary>
    public string Ready { get; private set; } = "";

    /// <summary>Starts it, and waits until it prints that it is ready.</summary>
    public static async Task<InstalledProgram> StartAsync(PackageFeed feed, string ready, string command, params string[] arguments)
    {
        var start = new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, WorkingDirectory = feed.Programs };
        foreach (var (name, value) in feed.Environment())
            start.Environment[name] = value;
        var program = new InstalledProgram(Process.Start(start)!);
        try
        {
            await program.ReadyAsync(ready).WaitAsync(Limit);
            return program;
        }
        catch
        {
            await program.DisposeAsync();
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

    private async Task ReadyAsync(string ready)
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.Contains(ready, StringComparison.Ordinal))
            {
                Ready = line;
                // Goes on reading, or the program would wait for room in the pipe.
                _ = _process.StandardOutput.ReadToEndAsync();
                return;
            }
        }

        throw new InvalidOperationException("the program ended before it was ready");
    }
}
