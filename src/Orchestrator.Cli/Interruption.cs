using System.Runtime.InteropServices;

namespace Orchestrator.Cli;

/// <summary>
/// What Ctrl-C and SIGTERM do to a verb: it is cancelled, and where it has not ended after some patience, the command ends without it. However many signals come, and a
/// terminal, a shell and <c>timeout</c> may each send one: the first counts. (The parser's own handling dies of the second one.)
/// </summary>
internal static class Interruption
{
    private const int SignalBase = 128;

    /// <summary>Runs a verb to its end, or until it has been asked to end and its patience is over.</summary>
    /// <returns>The verb's exit code; where a signal ended it, 130 or 143, which is what a shell reports for a command that SIGINT or SIGTERM ended.</returns>
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
                // The verb has just ended, or something in it did not like being told to.
            }

            await Task.Delay(patience, TimeProvider.System);
            late.TrySetResult(ExitCode.Interrupted);
        }
    }
}
