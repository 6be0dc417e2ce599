using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Orchestrator.TestKit;

/// <summary>Processes found by a mark in their environment.</summary>
public static class ProcessFamily
{
    /// <summary>The living processes whose environment holds this <c>NAME=value</c>.</summary>
    public static IReadOnlyList<int> Marked(string mark)
    {
        var found = new List<int>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
                continue;
            try
            {
                // A zombie has no environment any more: it does not count as living.
                if (File.ReadAllText($"/proc/{pid}/environ").Split('\0').Contains(mark))
                    found.Add(pid);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // It has ended in the meantime, or belongs to another user.
            }
        }

        return found;
    }

    /// <summary>Waits until a process has ended.</summary>
    public static async Task WaitForEndAsync(int pid, CancellationToken cancellationToken)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (ArgumentException)
        {
            // It had ended before.
        }
    }
}

/// <summary>Signals to processes that the test started.</summary>
public static partial class Signals
{
    /// <summary>SIGHUP.</summary>
    public const int HangUp = 1;

    /// <summary>SIGINT, as Ctrl-C sends it.</summary>
    public const int Interrupt = 2;

    /// <summary>SIGKILL.</summary>
    public const int Kill = 9;

    /// <summary>SIGTERM.</summary>
    public const int Term = 15;

    /// <summary>SIGSTOP.</summary>
    public const int Stop = 19;

    /// <summary>SIGCONT.</summary>
    public const int Continue = 18;

    /// <summary>Sends a signal; a negative number is that process group.</summary>
    public static void Send(int pid, int signal) => _ = kill(pid, signal);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int kill(int pid, int signal);
}

/// <summary>A test fails when the server logged an unexpected error.</summary>
public static class ErrorsInLog
{
    /// <summary>Throws when the output holds a line of level error or worse.</summary>
    public static void ThrowIfAny(string output, IReadOnlyList<string> expected)
    {
        var errors = new List<string>();
        var inError = false;
        foreach (var line in output.Split('\n'))
        {
            // Indented lines belong to the line before.
            if (!line.StartsWith("  ", StringComparison.Ordinal))
            {
                inError = (line.Contains(" fail: ", StringComparison.Ordinal) || line.Contains(" crit: ", StringComparison.Ordinal)
                    || line.StartsWith("Unhandled exception", StringComparison.Ordinal))
                    && !expected.Any(text => line.Contains(text, StringComparison.Ordinal));
            }

            if (inError)
                errors.Add(line);
        }

        if (errors.Count > 0)
            throw new InvalidOperationException($"the coordinator logged errors: {string.Join(Environment.NewLine, errors)}");
    }
}
