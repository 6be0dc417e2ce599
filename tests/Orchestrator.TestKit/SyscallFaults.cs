using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace Orchestrator.TestKit;

/// <summary>
/// Faults in the system calls of a running process: strace(1) attaches to it, and makes calls on certain files fail or hang. When this is
/// disposed, hanging calls continue and no more calls fail.
/// </summary>
public sealed partial class SyscallFaults : IAsyncDisposable
{
    // Longer than any test: the test releases hanging calls, not a timeout.
    private const string ForEver = "delay_enter=3600s";

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    private readonly Process _tracer;
    private readonly string _log = Path.Combine(Path.GetTempPath(), $"orchestrator-strace-{Guid.NewGuid():N}");
    private readonly StringBuilder _said = new();
    private readonly TaskCompletionSource _attached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private SyscallFaults(int pid, IEnumerable<string> what)
    {
        var start = new ProcessStartInfo("strace") { RedirectStandardError = true };
        foreach (var argument in (IEnumerable<string>)["-f", "-p", $"{pid}", "-o", _log, "-e", "signal=none", .. what])
            start.ArgumentList.Add(argument);
        _tracer = new Process { StartInfo = start };
        _tracer.ErrorDataReceived += (_, line) => OnSaid(line.Data);
        _tracer.Start();
        _tracer.BeginErrorReadLine();
    }

    /// <summary>Why there are no such faults here; null where there are.</summary>
    public static string? Missing { get; } = Probe();

    /// <summary>From now on these calls of the process fail at these files.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="calls">The system calls, separated by commas.</param>
    /// <param name="error">The name of the error, such as <c>EIO</c>.</param>
    /// <param name="files">The files, which are open already.</param>
    public static Task<SyscallFaults> FailAsync(int pid, string calls, string error, params string[] files) =>
        AttachAsync(pid, Injecting(calls, $"error={error}", files));

    /// <summary>From now on these calls of the process hang at these files, before they do anything, until this is ended.</summary>
    public static Task<SyscallFaults> HangAsync(int pid, string calls, params string[] files) =>
        AttachAsync(pid, Injecting(calls, ForEver, files));

    /// <summary>From now on the process is traced, as by a debugger; no call fails.</summary>
    public static Task<SyscallFaults> TraceAsync(int pid) => AttachAsync(pid, ["-e", "trace=none"]);

    /// <summary>Whether a thread of the process is stopped in a hanging system call, or in any other traced one.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="thread">The thread's name.</param>
    public static bool IsStopped(int pid, string thread) => Directory.EnumerateDirectories($"/proc/{pid}/task").Any(task =>
    {
        try
        {
            return File.ReadLines(Path.Combine(task, "status")).Take(8).ToArray() is var lines && lines.Contains($"Name:\t{thread}")
                && lines.Any(line => line.StartsWith("State:\tt", StringComparison.Ordinal));
        }
        catch (IOException)
        {
            // It has ended in the meantime.
            return false;
        }
    });

    /// <summary>Ends the faults, and returns how many calls were affected.</summary>
    public async Task<int> EndAsync()
    {
        if (!_tracer.HasExited)
        {
            // It detaches from its process and reports the calls that still hung.
            Signals.Send(_tracer.Id, Signals.Term);
            try
            {
                await _tracer.WaitForExitAsync().WaitAsync(s_limit);
            }
            catch (TimeoutException)
            {
                Abandon();
                throw;
            }
        }

        return Met().Count(await File.ReadAllTextAsync(_log));
    }

    /// <summary>
    /// Ends the faults without a count: for a process that was killed while one of its calls hung. strace would wait for that call for
    /// ever, and the kernel keeps the dead process for it.
    /// </summary>
    public void Abandon() => Signals.Send(_tracer.Id, Signals.Kill);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_tracer.HasExited)
            await EndAsync();
        _tracer.Dispose();
        File.Delete(_log);
    }

    private static IEnumerable<string> Injecting(string calls, string fault, string[] files) =>
        [.. files.SelectMany(file => new[] { "-P", file }), "-e", $"trace={calls}", "-e", $"inject={calls}:{fault}"];

    private static async Task<SyscallFaults> AttachAsync(int pid, IEnumerable<string> what)
    {
        var faults = new SyscallFaults(pid, what);
        var exit = faults._tracer.WaitForExitAsync();
        if (await Task.WhenAny(faults._attached.Task, exit).WaitAsync(s_limit) == exit)
        {
            await faults.DisposeAsync();
            throw new InvalidOperationException($"strace ended: {faults._said}");
        }

        return faults;
    }

    /// <summary>A container or the kernel's hardening may forbid attaching even to one's own process.</summary>
    private static string? Probe()
    {
        using var target = Process.Start("sleep", "3600");
        try
        {
            using var tracer = Process.Start(
                new ProcessStartInfo("strace", ["-p", $"{target.Id}", "-e", "trace=none"]) { RedirectStandardError = true })!;
            // Its first line says either that it is attached or why it cannot.
            var said = tracer.StandardError.ReadLine() ?? "it says nothing";
            if (!tracer.HasExited)
                Signals.Send(tracer.Id, Signals.Term);
            tracer.WaitForExit();
            return said.Contains("attached", StringComparison.Ordinal) ? null : $"strace cannot attach to a process here: {said}";
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            return $"strace is missing ({exception.Message}): Debian's package strace, which scripts/test installs";
        }
        finally
        {
            target.Kill();
            target.WaitForExit();
        }
    }

    private void OnSaid(string? line)
    {
        if (line is null)
            return;
        lock (_said)
            _said.AppendLine(line);
        if (line.Contains("attached", StringComparison.Ordinal))
            _attached.TrySetResult();
    }

    // Calls that failed, were delayed, or still hung when the tracer detached.
    [GeneratedRegex(@"\((INJECTED|DELAYED)\)$|<detached \.\.\.>$", RegexOptions.Multiline)]
    private static partial Regex Met();
}
