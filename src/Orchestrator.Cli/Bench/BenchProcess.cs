using System.Diagnostics;
using System.Runtime.InteropServices;
using Orchestrator.Cli.Common;

namespace Orchestrator.Cli.Bench;

/// <summary>
/// A second process of this command. It ends when its standard input ends, so it never outlives the bench that started it.
/// </summary>
internal sealed class BenchProcess : IAsyncDisposable
{
    /// <summary>The prefix of its first line.</summary>
    public const string ReadyPrefix = "ready ";

    /// <summary>The longest delay between the child's and this process's handling of the same Ctrl-C.</summary>
    private static readonly TimeSpan InterruptSkew = TimeSpan.FromSeconds(1);

    private readonly Process _process;

    private BenchProcess(Process process, string ready)
    {
        _process = process;
        Ready = ready;
    }

    /// <summary>The text after the ready prefix: the address, if the process is a server.</summary>
    public string Ready { get; }

    /// <summary>The processor time that it has taken.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Its standard input.</summary>
    public StreamWriter Input => _process.StandardInput;

    /// <summary>Its standard output, after the first line.</summary>
    public StreamReader Output => _process.StandardOutput;

    /// <summary>
    /// Called first in such a process: a terminal sends Ctrl-C to the whole process group, but only the bench decides whether to end.
    /// </summary>
    public static PosixSignalRegistration IgnoreInterrupts() =>
        PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);

    /// <exception cref="IOException">The process ended, or printed something else, before it was ready.</exception>
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
        // Closing its input ends it; the kill covers a hung process.
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

    /// <summary>A Ctrl-C before the process could ignore it has ended it, and is about to cancel the wait here.</summary>
    private static async Task HearOfInterruptAsync(Process process, CancellationToken token)
    {
        await process.WaitForExitAsync(token);
        if (process.ExitCode == ExitCode.Interrupted)
            await Task.Delay(InterruptSkew, TimeProvider.System, token);
    }
}
