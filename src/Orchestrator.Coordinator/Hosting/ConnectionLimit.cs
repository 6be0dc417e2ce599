using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>
/// The connection limit of a port, so that clients never take the last file descriptor: without a free descriptor the runtime itself may
/// end the process
/// ("Out of memory"), and no worker can be started.
/// </summary>
internal static unsafe class ConnectionLimit
{
    private const int OpenFiles = 7;

    /// <summary>The maximum: more connections have no practical use.</summary>
    private const int Most = 1_024;

    /// <summary>The minimum: with fewer connections the coordinator is unusable.</summary>
    private const int Least = 16;

    // About 250 descriptors are open at rest, most of them the program's own files, and a few connections are being rejected
    // (LimitedConnectionListenerFactory); a worker takes six, and a successor starts before its predecessor has exited.
    private const int Own = 320;
    private const int OfWorker = 12;

    // The gRPC port, the HTTP port, the workers' socket and the local transport each count separately.
    private const int Listeners = 4;

    /// <summary>The limit of each listener of a coordinator; it depends on the number of workers.</summary>
    /// <exception cref="IOException">The process's file descriptor limit is too low.</exception>
    public static int Of(CoordinatorOptions options)
    {
        var workers = options.Supervision.Groups.Sum(group => group.Workers);
        var limits = stackalloc ulong[2];
        if (NativeMethods.prlimit(0, OpenFiles, null, limits) != 0)
            return Most;
        // The runtime raised the soft limit to the hard limit at its start.
        var left = (long)Math.Min(limits[0], int.MaxValue) - Own - ((long)OfWorker * workers);
        if (left < Least * Listeners)
        {
            throw new IOException(
                $"this process may open {limits[0]} files, and {Own + (OfWorker * workers) + (Least * Listeners)} are needed with " +
                $"{workers} workers; "
                + "raise the limit (ulimit -n, LimitNOFILE in a systemd unit)");
        }

        return (int)Math.Min(Most, left / Listeners);
    }
}
