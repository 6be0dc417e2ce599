using System.Diagnostics;

namespace Orchestrator.Cli.Bench;

/// <summary>A second process of this very command. It ends when its standard input does, so that it never outlives the bench that started it.</summary>
internal sealed class BenchProcess : IAsyncDisposable
{
    /// <summary>What its first line begins with.</summary>
    public const string ReadyPrefix = "ready ";

    private readonly Process _process;

    private BenchProcess(Process process, string ready)
    {
        _process = process;
        Ready = ready;
    }

    /// <summary>What it said once it was ready: a server's address, where it is one.</summary>
    public string Ready { get; }

    /// <summary>Its standard input.</summary>
    public StreamWriter Input => _process.StandardInput;

    /// <summary>Its standard output, behind the first line.</summary>
    public StreamReader Output => _process.StandardOutput;

    public static async Task<BenchProcess> StartAsync(
        string verb, IEnumerable<string> arguments, CancellationToken token, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(SelfCommand.Path)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        foreach (var argument in SelfCommand.Arguments([verb, .. arguments]))
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        var process = Process.Start(start) ?? throw new InvalidOperationException($"'{verb}' did not start.");
        try
        {
            var line = await process.StandardOutput.ReadLineAsync(token);
            if (line?.StartsWith(ReadyPrefix, StringComparison.Ordinal) != true)
                throw new InvalidOperationException($"'{verb}' ended before it was ready.");
            return new BenchProcess(process, line[ReadyPrefix.Length..]);
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
