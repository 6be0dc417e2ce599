namespace Orchestrator.Cli.Common;

/// <summary>The command's exit codes; docs/cli.md lists them.</summary>
internal static class ExitCode
{
    public const int Ok = 0;
    public const int TaskFailed = 1;
    public const int Usage = 2;
    public const int CannotConnect = 3;
    public const int ThresholdMissed = 4;
    public const int NotAllowed = 5;

    /// <summary>A wait at a shared object timed out.</summary>
    public const int TimedOut = 6;

    /// <summary>End of data: the queue is shut down and empty, or the other end of the pipe is closed.</summary>
    public const int Ended = 7;

    /// <summary>The code that a shell reports for a command ended by Ctrl-C.</summary>
    public const int Interrupted = 130;
}
