using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Orchestrator.Cli.Bench;

/// <summary>A second process of this very command. It ends when its standard input does, so that it never outlives the bench that started it.</summary>
internal sealed class BenchProcess : IAsyncDisposable
{
    /// <summary>What its first line begins with.</summary>
    public const string ReadyPrefix = "ready ";

    /// <summary>How much later than such a process this one may learn of a Ctrl-C that went to both.</summary>
    private static readonly TimeSpan InterruptSkew = TimeSpan.FromSeconds(1);

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

    /// <summary>
    /// For such a process to begin with: a terminal sends its Ctrl-C to the whole group, and it is the bench that decides what then becomes of its figures.
    /// </summary>
    public static PosixSignalRegistration IgnoreInterrupts() => PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);

    /// <exception cref="IOException">It ended, or said something else, before it was ready.</exception>
    /// <exception cref="OperationCanceledException">The <paramref name="token"/> was cancelled.</exception>
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
            if (line?.StartsWith(ReadyPrefix, StringComparison.Ordinal) == true)
                return new BenchProcess(process, line[ReadyPrefix.Length..]);
            if (line is null)
                await HearOfInterruptAsync(process, token);
            throw new IOException($"'{verb}' ended before it was ready.");
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

    /// <summary>A Ctrl-C that came before the process could ignore it has ended it, and is about to cancel what waits for it here.</summary>
    private static async Task HearOfInterruptAsync(Process process, CancellationToken token)
    {
        await process.WaitForExitAsync(token);
        if (process.ExitCode == ExitCode.Interrupted)
            await Task.Delay(InterruptSkew, TimeProvider.System, token);
    }
}
