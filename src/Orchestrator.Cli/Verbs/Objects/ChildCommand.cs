using System.ComponentModel;
using System.Diagnostics;

namespace Orchestrator.Cli.Verbs;

/// <summary>A command that runs while something is held.</summary>
internal static class ChildCommand
{
    /// <summary>Runs it to its end and returns its exit code; kills it when the hold is lost, since somebody else may have it by then.</summary>
    public static async Task<int> RunAsync(string[] words, CancellationToken lost, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(words[0]) { UseShellExecute = false };
        foreach (var word in words.AsSpan(1))
            start.ArgumentList.Add(word);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Start(start);
        // Ctrl-C reaches the command by the terminal; a lost hold only by us.
        await using var killing = lost.UnsafeRegister(
            static state =>
            {
                var command = (Process)state!;
                if (!command.HasExited)
                    command.Kill(entireProcessTree: true);
            },
            process);
        await process.WaitForExitAsync(CancellationToken.None);
        return process.ExitCode;
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception exception)
        {
            throw new UsageException($"'{start.FileName}' cannot be started: {exception.Message}");
        }
    }
}
