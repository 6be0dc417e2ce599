using System.Diagnostics;

namespace Orchestrator.Cli.Bench.Bare;

/// <summary>A second process of this very command that serves the bare echo or the bare proxy.</summary>
internal sealed class BareProcess : IAsyncDisposable
{
    private readonly Process _process;

    private BareProcess(Process process, string address)
    {
        _process = process;
        Address = new Uri(address);
    }

    /// <summary>Its loopback TCP address.</summary>
    public Uri Address { get; }

    public static async Task<BareProcess> StartAsync(string verb, IEnumerable<string> arguments, CancellationToken token)
    {
        var start = new ProcessStartInfo(SelfCommand.Path)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        foreach (var argument in SelfCommand.Arguments([verb, .. arguments]))
            start.ArgumentList.Add(argument);
        var process = Process.Start(start) ?? throw new InvalidOperationException($"'{verb}' did not start.");
        try
        {
            var line = await process.StandardOutput.ReadLineAsync(token);
            if (line?.StartsWith(BareServer.ReadyPrefix, StringComparison.Ordinal) != true)
                throw new InvalidOperationException($"'{verb}' ended before it listened.");
            return new BareProcess(process, line[BareServer.ReadyPrefix.Length..]);
        }
        catch
        {
            process.Kill();
            process.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Closing its input is the way to end it; the kill is for one that hangs.
        _process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}
