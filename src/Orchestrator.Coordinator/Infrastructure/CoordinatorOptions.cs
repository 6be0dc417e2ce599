using System.Net;
using System.Security.Cryptography;
using Orchestrator.Core.Common;
using Orchestrator.Core.Objects;
using Orchestrator.Core.Queues;
using Orchestrator.Core.TaskModel;
using Orchestrator.Protocol;

namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>All options of a coordinator. <see cref="Validate"/> names all faults at once.</summary>
public sealed record CoordinatorOptions
{
    private const long SmallestBudget = 200L << 20;
    private const long SmallestWorker = 80L << 20;
    private const int SmallestPayload = 1024;

    /// <summary>
    /// The listen address of both ports. Any address other than loopback needs <see cref="Tls"/> and <see cref="Authentication"/>.
    /// </summary>
    public IPAddress ListenAddress { get; init; } = IPAddress.Loopback;

    /// <summary>TLS of both ports; null means none, for loopback only.</summary>
    public TlsOptions? Tls { get; init; }

    /// <summary>
    /// Whether the coordinator makes a certificate for itself where <see cref="Tls"/> gives none. It lies in the data directory.
    /// </summary>
    public bool TlsSelfSigned { get; init; }

    /// <summary>
    /// A file with the owner's token, such as a mounted secret; replaced there, it is replaced here within a second. Null, the default,
    /// keeps the token in the data directory, made at the first start.
    /// </summary>
    public string? TokenFile { get; init; }

    /// <summary>Whether a credential is required; false is for trials on loopback only, and logs a warning every minute.</summary>
    public bool Authentication { get; init; } = true;

    /// <summary>Host names that browsers and probes may use for the HTTP port, besides localhost and addresses.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>The port of the gRPC services; 0 picks a free one.</summary>
    public int GrpcPort { get; init; } = 7600;

    /// <summary>The port of health over HTTP/1 (h2c and HTTP/1 cannot share a port); 0 picks a free one.</summary>
    public int HttpPort { get; init; } = 7601;

    /// <summary>Whether TCP ports are opened at all; if not, the coordinator is reachable through its Unix socket only.</summary>
    public bool ListenOnTcp { get; init; } = true;

    /// <summary>
    /// Whether the coordinator owns the process. If not, because it is embedded in another program, the umask stays unchanged, and the log
    /// goes to standard error only.
    /// </summary>
    public bool OwnsProcess { get; init; } = true;

    /// <summary>Whether operators may kill, stop and slow workers, to see what follows.</summary>
    public bool AllowChaos { get; init; }

    /// <summary>The directory of the token, the endpoint file and the runtime directory.</summary>
    public string DataDirectory { get; init; } = ProtocolConstants.DefaultDataDirectory();

    /// <summary>Worker processes and their supervision.</summary>
    public SupervisorOptions Supervision { get; init; } = new();

    /// <summary>The journal of durable tasks and objects.</summary>
    public JournalOptions Journal { get; init; } = new();

    /// <summary>Of which tasks spans are made.</summary>
    public TracingOptions Traces { get; init; } = new();

    /// <summary>
    /// Whether tasks' output and logs also go to the coordinator's logger, with the task, the worker and, for traced tasks, the span.
    /// </summary>
    public bool LogTasks { get; init; }

    /// <summary>Whether the instruments of <c>/metrics</c> are also published as a meter of this process.</summary>
    public bool PublishMetrics { get; init; }

    /// <summary>The task engine's options.</summary>
    public TaskEngineOptions Engine { get; init; } = new();

    /// <summary>
    /// The object engine's options. Session ids are unguessable; after a restart, neither a session id nor a lease id ever names another
    /// object.
    /// </summary>
    public ObjectEngineOptions Objects { get; init; } = new()
    {
        SessionIds = number => $"s{number}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}",
        // One run would need a million leases per millisecond to reach the lease ids of the next run.
        Queues = new QueueOptions { LastLeaseId = (ulong)TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() << 20 },
    };

    /// <summary>The maximum number of unfinished or unread tasks of one stream.</summary>
    public int CreditsPerStream { get; init; } = 4_096;

    /// <summary>The maximum number of input bytes of those tasks.</summary>
    public long CreditBytesPerStream { get; init; } = 16L << 20;

    /// <summary>The maximum number of open streams, of all kinds, per client.</summary>
    public int MaxStreamsPerClient { get; init; } = 1_000;

    /// <summary>
    /// The memory budget of the coordinator's process; beyond it new work is refused (RESOURCE_EXHAUSTED with RetryInfo) rather than kept.
    /// Half of it is for retained data, the rest for the program, for messages in transit and for garbage not collected yet. Default: half
    /// the memory of the machine or the container.
    /// </summary>
    public long MemoryBudget { get; init; } = Math.Max(SmallestBudget, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2);

    /// <summary>The part of <see cref="MemoryBudget"/> for data retained for clients.</summary>
    internal long KeptBytes => MemoryBudget / 2;

    /// <summary>
    /// The largest payload in bytes: a task's input or output, an item, a message, a value. The default is less where the memory budget is
    /// small: one connection may have three twentieths of the memory kept under way.
    /// </summary>
    public long MaxPayload { get; init; } = ProtocolConstants.DefaultPayloadBytes;

    /// <summary>The largest payload that is accepted, in bytes.</summary>
    internal int PayloadBytes => (int)Math.Min(MaxPayload, LargestPayloadUnderWay);

    /// <summary>The largest message that is accepted, in bytes.</summary>
    internal int MessageBytes => ProtocolConstants.MessageBytesFor(PayloadBytes);

    // A larger one would never arrive: see IncompleteMessageLimits.OfOneConnection. What travels with it needs room, too.
    private long LargestPayloadUnderWay =>
        Math.Min(ProtocolConstants.LargestPayloadBytes, (new MemoryBudget(KeptBytes).PerClientLimit / 2) - (1 << 20));

    /// <summary>Threads of the in-process placement "threads".</summary>
    public int InProcessThreads { get; init; } = Environment.ProcessorCount;

    /// <summary>Tasks that the in-process placement "async" runs at once.</summary>
    public int InProcessAsync { get; init; } = 10_000;

    /// <summary>How long a stop waits for unfinished tasks before it cancels them.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>Whether worker state changes are logged to the console, in addition to warnings.</summary>
    public bool Verbose { get; init; }

    /// <summary>The form of the log on the console.</summary>
    public LogFormat LogFormat { get; init; }

    /// <summary>The faults of these options, each naming the option, its value and the valid values.</summary>
    public IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        Check(GrpcPort is >= 0 and <= 65_535, nameof(GrpcPort), GrpcPort, "a port from 0 (any free one) to 65535");
        Check(HttpPort is >= 0 and <= 65_535, nameof(HttpPort), HttpPort, "a port from 0 (any free one) to 65535");
        Check(GrpcPort != HttpPort
            || GrpcPort == 0, nameof(HttpPort), HttpPort, "another port than the gRPC port: h2c and HTTP/1 cannot share one");
        CheckListen(faults);
        Check(DataDirectory.Length > 0, nameof(DataDirectory), DataDirectory,
            "a directory: there is no home directory here to have the usual one in, so name one with --data-dir or " +
            $"{ProtocolConstants.DataDirectoryVariable}");
        Check(Supervision.Workers is >= 0 and <= 1_024, "Workers", Supervision.Workers, "a number from 0 to 1024");
        Check(Supervision.HotSpares is 0 or 1, "HotSpares", Supervision.HotSpares, "0 or 1");
        Check(Supervision.Command.Count > 0, "WorkerCommand", "", "a command and its arguments");
        var groups = Supervision.Groups;
        Check(groups.Count <= WorkerGroupOptions.MaxGroups, "WorkerGroups", groups.Count, $"at most {WorkerGroupOptions.MaxGroups}");
        faults.AddRange(
            groups.CountBy(group => group.Name).Where(name => name.Value > 1).Select(name => name.Key == WorkerGroupOptions.FirstName
            ? $"a worker group is named '{name.Key}', which is the name of the first group; choose another"
            : $"{name.Value} worker groups are named '{name.Key}'; each needs a name of its own"));
        foreach (var group in Supervision.MoreGroups)
        {
            Check(WorkerGroupOptions.IsName(group.Name), "the name of a worker group", group.Name, WorkerGroupOptions.NameRule);
            Check(group.Workers is >= 1 and <= 1_024, $"the number of workers of group '{group.Name}'", group.Workers,
                "a number from 1 to 1024");
            Check(group.Command.Count > 0, $"the command of worker group '{group.Name}'", "", "a command and its arguments");
        }

        Check(Supervision.MaxConcurrentIo is >= 1 and <= 14_000, "MaxConcurrentIo", Supervision.MaxConcurrentIo,
            "a number from 1 to 14000 (the flight recorder's slots)");
        Check(Supervision.BlockingThreads is >= 1 and <= 1_024, "BlockingThreads", Supervision.BlockingThreads, "a number from 1 to 1024");
        Check(Supervision.RecycleAfterTasks is null or >= 1, "RecycleAfterTasks", Supervision.RecycleAfterTasks ?? 0, "at least 1");
        Check(Supervision.RecycleShare is > 0 and <= 1, "RecycleShare", Supervision.RecycleShare, "more than 0 and at most 1");
        Check(Supervision.MaxWorkerMemory is null or >= SmallestWorker, "MaxWorkerMemory", Supervision.MaxWorkerMemory
            ?? 0, $"at least {SmallestWorker} bytes: a worker that does nothing takes about 60 MB");
        Check(CreditsPerStream >= 1, nameof(CreditsPerStream), CreditsPerStream, "at least 1");
        Check(MaxStreamsPerClient >= 1, nameof(MaxStreamsPerClient), MaxStreamsPerClient, "at least 1");
        Check(Engine.MaxTasksPerClient >= 1, "MaxTasksPerClient", Engine.MaxTasksPerClient, "at least 1");
        Check(Engine.MaxPayloadBytesPerClient >= 1, "MaxPayloadBytesPerClient", Engine.MaxPayloadBytesPerClient, "at least 1");
        Check(Objects.MaxSessionsPerClient >= 1, "MaxSessionsPerClient", Objects.MaxSessionsPerClient, "at least 1");
        Check(MemoryBudget >= SmallestBudget, nameof(MemoryBudget), MemoryBudget,
            $"at least {SmallestBudget} bytes: the program alone takes about 100 MB");
        Check(MaxPayload is >= SmallestPayload and <= ProtocolConstants.LargestPayloadBytes, nameof(MaxPayload), MaxPayload,
            $"a size from {SmallestPayload} bytes to {ProtocolConstants.LargestPayloadBytes} (512 MiB)");
        Check(MaxPayload <= LargestPayloadUnderWay || MaxPayload is ProtocolConstants.DefaultPayloadBytes
            or > ProtocolConstants.LargestPayloadBytes || MemoryBudget < SmallestBudget, nameof(MaxPayload), MaxPayload,
            $"at most {LargestPayloadUnderWay} bytes with a memory budget of {MemoryBudget}, of which one connection may have so much " +
            "under way: lower it, or raise --memory-budget");
        Check(CreditBytesPerStream >= 1, nameof(CreditBytesPerStream), CreditBytesPerStream, "at least 1");
        Check(InProcessThreads is >= 1 and <= 1_024, nameof(InProcessThreads), InProcessThreads, "a number from 1 to 1024");
        Check(InProcessAsync is >= 1 and <= 100_000, nameof(InProcessAsync), InProcessAsync, "a number from 1 to 100000");
        Check(DrainTimeout >= TimeSpan.Zero, nameof(DrainTimeout), DrainTimeout, "zero or more");
        Check(Engine.MaxTasks >= 1, "MaxTasks", Engine.MaxTasks, "at least 1");
        Check(Engine.MaxPayloadBytes >= 1, "MaxPayloadBytes", Engine.MaxPayloadBytes, "at least 1");
        Check(Engine.Aging >= TimeSpan.Zero, "Aging", Engine.Aging, "zero (off) or more");
        Check(Traces.Ratio is >= 0 and <= 1, "the ratio of traced tasks", Traces.Ratio, "a number from 0 (none) to 1 (all)");
        Check(Traces.SlowerThan > TimeSpan.Zero, "the time from which on a task is traced", Traces.SlowerThan, "more than zero");
        Check(Journal.SnapshotAfterBytes >= 1, "SnapshotAfterBytes", Journal.SnapshotAfterBytes, "at least 1");
        Check(Journal.HistoryAge > TimeSpan.Zero, "HistoryAge", Journal.HistoryAge, "more than zero");
        Check(Journal.HistoryBytes >= 0, "HistoryBytes", Journal.HistoryBytes, "zero (none) or more");
        Check(Journal.HistoryTasks >= 0, "HistoryTasks", Journal.HistoryTasks, "zero (none) or more");
        return faults;

        void Check(bool right, string name, object value, string wanted)
        {
            if (!right)
                faults.Add($"{name} is '{value}', it must be {wanted}");
        }
    }

    /// <summary>On a port that other machines reach, callers must authenticate, and traffic must be encrypted.</summary>
    private void CheckListen(List<string> faults)
    {
        if (IPAddress.IsLoopback(ListenAddress))
            return;
        if (Tls is null && !TlsSelfSigned)
        {
            faults.Add(
                $"--listen {ListenAddress} is reached from other machines and needs TLS: --tls-cert and --tls-key are missing; " +
                "--tls-self-signed makes a certificate");
        }

        if (!Authentication)
            faults.Add($"--listen {ListenAddress} is reached from other machines and needs a credential: --no-auth is for loopback only");
    }
}
