using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Google.Protobuf;
using Orchestrator.Transport.Sockets;
using Orchestrator.Coordinator.Dispatch;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;
using Orchestrator.Protocol;
using Orchestrator.Worker.V1;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>Starts worker processes by the launch contract of <c>worker.proto</c>. Used on the supervisor's thread only.</summary>
internal sealed unsafe class WorkerProcessLauncher(
    SupervisorOptions initialOptions, RuntimeDirectory directory, TokenStore tokens, TimeProvider time, IReadOnlyList<int> cores,
    int largestPayload)
{
    private const string MemoryEvents = "/sys/fs/cgroup/memory.events";

    private SupervisorOptions _options = initialOptions;
    private IReadOnlyDictionary<string, string> _environment = WorkerEnvironment.Create(initialOptions.InheritedVariables);
    private long _incarnation;
    private long _oomKills = OomKills();

    /// <summary>Sets the options for later starts.</summary>
    public void Reload(SupervisorOptions options)
    {
        _options = options;
        _environment = WorkerEnvironment.Create(options.InheritedVariables);
    }

    /// <summary>Starts a process for a slot, pinned to its core, or a spare, which is pinned when it takes over.</summary>
    /// <exception cref="IOException">The command cannot be started.</exception>
    public WorkerProcess Start(WorkerGroup group, string name, int core)
    {
        // Incarnations increase over all slots, so a spare has its number before it has a slot.
        var incarnation = ++_incarnation;
        var identity = new WorkerIdentity(incarnation);
        var launch = new WorkerLaunch
        {
            Name = name,
            Incarnation = incarnation,
            Socket = directory.SocketPath(incarnation),
            Token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)),
            CoordinatorPid = Environment.ProcessId,
            Core = core,
            BlockingThreads = _options.BlockingThreads,
            MaxConcurrentIo = _options.MaxConcurrentIo,
            RecorderPath = directory.RecorderPath(incarnation),
            DirectStream = ChildProcess.InheritedDescriptor,
            CoordinatorAddress = $"unix:{directory.CoordinatorSocket}",
            CoordinatorLocalSocket = directory.LocalTransportSocket,
            MaxPayloadBytes = largestPayload,
            CoordinatorToken = tokens.IssueForWorker(identity),
        };
        // Each of the next steps may fail if descriptors run out, and then undoes the previous steps.
        FlightRecorderFile? recorder = null;
        SocketMessageStream? direct = null;
        SafeHandle? childEnd = null;
        try
        {
            recorder = new FlightRecorderFile(launch.RecorderPath);
            direct = SocketMessageStream.CreatePair(ProtocolConstants.MessageBytesFor(largestPayload), out var end);
            childEnd = end;
            if (core >= 0)
                ProcessorAffinity.SetForThisThread([core]);
            var startedAt = time.GetTimestamp();
            var child = ChildProcess.Start(group.Options.Command, _environment, name, end);
            identity.ProcessGroup = child.Pid;
            ProcessMark.Write(directory.MarkPath(incarnation), child.Pid);
            Harden(child.Pid);
            child.WriteLine(JsonFormatter.Default.Format(launch));
            return new WorkerProcess(group, launch, child, recorder, direct, startedAt, new CancellationTokenSource());
        }
        catch
        {
            tokens.Revoke(launch.CoordinatorToken);
            recorder?.Dispose();
            direct?.Dispose();
            throw;
        }
        finally
        {
            childEnd?.Dispose();
            if (core >= 0)
                ProcessorAffinity.SetForThisThread(cores);
        }
    }

    /// <summary>The process has ended.</summary>
    public void Forget(WorkerProcess process)
    {
        tokens.Revoke(process.Launch.CoordinatorToken);
        try
        {
            File.Delete(directory.MarkPath(process.Incarnation));
        }
        catch (IOException)
        {
            // Another process has removed the directory; there is nothing left to delete.
        }
    }

    /// <summary>Whether the kernel has OOM-killed a process of this control group since the last call.</summary>
    public bool KernelRanOutOfMemory()
    {
        var kills = OomKills();
        var more = kills > _oomKills;
        _oomKills = kills;
        return more;
    }

    private static long OomKills()
    {
        try
        {
            var line = File.ReadLines(MemoryEvents).FirstOrDefault(line => line.StartsWith("oom_kill ", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line["oom_kill ".Length..], CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            // No control group v2 here; only the worker's own output then reveals an out-of-memory death.
            return 0;
        }
    }

    /// <summary>
    /// Disables core dumps, which would contain users' data, and makes the worker the kernel's OOM victim before the coordinator.
    /// </summary>
    private static void Harden(int pid)
    {
        var none = stackalloc ulong[2];
        none[0] = none[1] = 0;
        _ = NativeMethods.prlimit(pid, NativeMethods.ResourceCore, none, null);
        try
        {
            File.WriteAllText($"/proc/{pid}/oom_score_adj", "500");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The worker has already exited, or the kernel forbids the change: best effort only.
        }
    }
}
