using System.CommandLine.Parsing;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Orchestrator.Cli.Common;

namespace Orchestrator.Cli.Commands.Objects;

/// <summary>A command that runs while a lock or permit is held.</summary>
internal static partial class ChildCommand
{
    private const int Term = 15;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static volatile bool s_runs;

    /// <summary>Whether this is <c>lock run</c> or <c>semaphore run</c>.</summary>
    public static bool IsRunBy(CommandResult verb) =>
        verb is { Command.Name: "run", Parent: CommandResult { Command.Name: "lock" or "semaphore" } };

    /// <summary>
    /// For a verb that ends with its child command, however long that takes after Ctrl-C. While it still waits for the lock or permit, it
    /// ends like any other verb, even if the coordinator does not answer.
    /// </summary>
    public static CancellationTokenRegistration EndSoonUnlessItRuns(CancellationToken token) =>
        token.Register(static () => _ = EndSoonAsync());

    /// <summary>
    /// Runs the command and returns its exit code; kills it if the hold is lost, since another process may hold the object by then.
    /// </summary>
    public static async Task<int> RunAsync(string[] words, CancellationToken lost, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(words[0]) { UseShellExecute = false };
        foreach (var word in words.AsSpan(1))
            start.ArgumentList.Add(word);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        // A process that sees the command's output may signal us at once.
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        // Ctrl-C reaches the command through the terminal; a SIGTERM to us and a lost hold reach it only through us. In either case we end
        // only when the command ends: until then it needs the hold.
        using var ending = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            _ = EndAsync(started.Task);
        });
        using var process = Start(start);
        s_runs = true;
        started.SetResult(process);
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

    private static async Task EndAsync(Task<Process> started)
    {
        var process = await started;
        try
        {
            if (!process.HasExited)
                _ = Kill(process.Id, Term);
        }
        catch (InvalidOperationException)
        {
            // The command has ended, and so do we.
        }
    }

    private static async Task EndSoonAsync()
    {
        await Task.Delay(Patience, TimeProvider.System);
        if (!s_runs)
            Environment.Exit(ExitCode.Interrupted);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);

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
