using System.Runtime.InteropServices;

namespace Orchestrator.Cli.Common;

/// <summary>
/// Handles Ctrl-C and SIGTERM: cancels the verb, and ends the command without it if it does not end within a grace period. Only the first
/// signal counts, since a terminal, a shell and <c>timeout</c> may each send one. (The parser's own handling ends the process at the
/// second.)
/// </summary>
internal static class Interruption
{
    private const int SignalBase = 128;

    /// <summary>Runs a verb to its end, or until the grace period after a signal has passed.</summary>
    /// <returns>
    /// The verb's exit code; if a signal ended it, 130 or 143, as a shell reports for a command ended by SIGINT or SIGTERM.
    /// </returns>
    public static async Task<int> RunAsync(Func<CancellationToken, Task<int>> verb, TimeSpan patience)
    {
        using var asked = new CancellationTokenSource();
        var late = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var signalled = 0;
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => OnSignal(context, 2));
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => OnSignal(context, 15));
        var code = await await Task.WhenAny(verb(asked.Token), late.Task);
        return code == ExitCode.Interrupted && signalled != 0 ? signalled : code;

        void OnSignal(PosixSignalContext context, int number)
        {
            context.Cancel = true;
            if (Interlocked.CompareExchange(ref signalled, SignalBase + number, 0) == 0)
                _ = EndAsync();
        }

        async Task EndAsync()
        {
            try
            {
                await asked.CancelAsync();
            }
            catch (Exception exception) when (exception is ObjectDisposedException or AggregateException)
            {
                // The verb has just ended, or one of its cancellation callbacks threw.
            }

            await Task.Delay(patience, TimeProvider.System);
            late.TrySetResult(ExitCode.Interrupted);
        }
    }
}
