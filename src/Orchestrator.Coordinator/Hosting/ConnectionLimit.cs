using Orchestrator.Coordinator.Supervision;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>
/// How many connections a port takes, so that clients never take the last file descriptor: without one the runtime itself may end the process ("Out of memory"),
/// and no worker can be started.
/// </summary>
internal static unsafe class ConnectionLimit
{
    private const int OpenFiles = 7;

    /// <summary>More than that nobody has use for.</summary>
    private const int Most = 1_024;

    /// <summary>Fewer than that and the coordinator is of no use.</summary>
    private const int Least = 16;

    // Some 250 are open at rest, most of them the program's own files, and a few connections are being turned away (BoundedListeners); a worker takes six, and
    // one is started before its predecessor has gone.
    private const int Own = 320;
    private const int OfWorker = 12;

    // The ports for gRPC and for HTTP, and the workers' socket, each count for themselves.
    private const int Listeners = 3;

    /// <summary>For each listener of a coordinator with so many workers.</summary>
    /// <exception cref="IOException">The process may not open enough files.</exception>
    public static int Of(int workers)
    {
        var limits = stackalloc ulong[2];
        if (NativeMethods.prlimit(0, OpenFiles, null, limits) != 0)
            return Most;
        // The runtime has raised the soft limit to the hard one when it started.
        var left = (long)Math.Min(limits[0], int.MaxValue) - Own - ((long)OfWorker * workers);
        if (left < Least * Listeners)
        {
            throw new IOException(
                $"this process may open {limits[0]} files, and {Own + (OfWorker * workers) + (Least * Listeners)} are needed with {workers} workers; "
                + "raise the limit (ulimit -n, LimitNOFILE in a systemd unit)");
        }

        return (int)Math.Min(Most, left / Listeners);
    }
}
