using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Google.Protobuf;
using Orchestrator.Contracts.Direct;
using Orchestrator.Coordinator.Dispatch;
using Orchestrator.Coordinator.Hosting;
using Orchestrator.Coordinator.Security;
using Orchestrator.Worker.V1;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>Starts worker processes by the launch contract of <c>worker.proto</c>. Used on the supervisor's thread only.</summary>
internal sealed unsafe class WorkerProcessLauncher(
    SupervisorOptions initialOptions, RuntimeDirectory directory, TokenStore tokens, TimeProvider time, IReadOnlyList<int> cores)
{
    private const string MemoryEvents = "/sys/fs/cgroup/memory.events";

    private SupervisorOptions _options = initialOptions;
    private IReadOnlyDictionary<string, string> _environment = WorkerEnvironment.Create(initialOptions.InheritedVariables);
    private long _incarnation;
    private long _oomKills = OomKills();

    /// <summary>Whoever starts from now on starts so.</summary>
    public void Reload(SupervisorOptions options)
    {
        _options = options;
        _environment = WorkerEnvironment.Create(options.InheritedVariables);
    }

    /// <summary>Starts a process for a slot, pinned to its core, or a spare, which is pinned when it takes over.</summary>
    /// <exception cref="IOException">The command cannot be started.</exception>
    public WorkerProcess Start(WorkerGroup group, string name, int core)
    {
        // Incarnations grow over all slots, so that a spare has its number before it has its slot.
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
            CoordinatorToken = tokens.IssueForWorker(identity),
        };
        // Each of the next steps may fail where descriptors have run out, and leaves nothing of those before it.
        FlightRecorderFile? recorder = null;
        SocketMessageStream? direct = null;
        SafeHandle? childEnd = null;
        try
        {
            recorder = new FlightRecorderFile(launch.RecorderPath);
            direct = SocketMessageStream.CreatePair(out var end);
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
            // Somebody swept the directory; there is nothing left to delete.
        }
    }

    /// <summary>Whether the kernel has killed somebody of this control group for memory since the last call.</summary>
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
            // No control group v2 here; then only what the worker itself said tells of memory.
            return 0;
        }
    }

    /// <summary>No core dumps of other people's data, and the kernel's first choice when memory runs out, before the coordinator.</summary>
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
            // Already gone, or a kernel that forbids it: a preference, not a promise.
        }
    }
}
