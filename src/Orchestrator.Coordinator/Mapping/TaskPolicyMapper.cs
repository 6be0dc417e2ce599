using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Core.TaskModel;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>
/// <see cref="TaskOptions"/> to <see cref="TaskPolicy"/>, validated. Options arrive as bytes, and equal bytes share one policy, so a
/// million tasks with the same options cost one parse and one object.
/// </summary>
internal sealed class TaskPolicyMapper
{
    private const int MaxCached = 4_096;
    private const int MaxCachedBytes = 256;

    // The overhead of options kept for a single task, besides their content.
    private const int PolicyBytes = 300;
    private const int LabelBytes = 120;
    private const int DependencyBytes = 24;

    // Far beyond any practical use, and far enough below the clock's range that sums cannot overflow.
    private static readonly TimeSpan MaxTimeout = TimeSpan.FromDays(3_650);
    private static readonly TimeSpan DefaultBackoff = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan DefaultMaxBackoff = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<ByteString, TaskPolicy> _cache = new();

    /// <summary>The options that a policy was made from.</summary>
    public static TaskOptions ToOptions(TaskPolicy policy)
    {
        var options = new TaskOptions
        {
            Priority = policy.Priority,
            QueueTimeout = ToDuration(policy.QueueTimeout),
            RunTimeout = ToDuration(policy.RunTimeout),
            TotalTimeout = ToDuration(policy.TotalTimeout),
            CancelGrace = ToDuration(policy.CancelGrace),
            ResultTtl = ToDuration(policy.ResultTtl),
            Placement = policy.Placement switch
            {
                PlacementPolicy.Sequential => Placement.InProcessSequential,
                PlacementPolicy.Threads => Placement.InProcessThreads,
                PlacementPolicy.Async => Placement.InProcessAsync,
                _ => Placement.WorkerProcess,
            },
            AffinityKey = policy.AffinityKey,
            ConcurrencyKey = policy.ConcurrencyKey,
            ConcurrencyLimit = policy.ConcurrencyKey.Length > 0 ? policy.ConcurrencyLimit : 0,
            RateLimiter = policy.RateLimiter,
            FairnessKey = policy.FairnessKey,
            FairnessWeight = policy.FairnessWeight == 1 ? 0 : policy.FairnessWeight,
            Durability = (V1.Durability)(int)policy.Durability,
        };
        options.DependsOn.AddRange(policy.DependsOn.Select(id => (ulong)id));
        foreach (var label in policy.Labels ?? new Dictionary<string, string>())
            options.Labels.Add(label.Key, label.Value);
        if (policy.Retry is { } retry)
        {
            options.Retry = new RetryPolicy
            {
                MaxAttempts = retry.MaxAttempts,
                InitialBackoff = Duration.FromTimeSpan(retry.InitialBackoff),
                BackoffMultiplier = retry.Multiplier,
                MaxBackoff = Duration.FromTimeSpan(retry.MaxBackoff),
                RetryWorkerLost = retry.RetryWorkerLost,
            };
        }

        return options;
    }

    private static Duration? ToDuration(TimeSpan? time) => time is { } value ? Duration.FromTimeSpan(value) : null;

    /// <summary>The policy of received options; adds their faults to <paramref name="violations"/>.</summary>
    public TaskPolicy Map(ByteString options, string field, ref List<Violation>? violations)
    {
        if (options.IsEmpty)
            return TaskPolicy.Default;
        if (_cache.TryGetValue(options, out var known))
            return known;
        TaskOptions message;
        try
        {
            message = TaskOptions.Parser.ParseFrom(options);
        }
        catch (InvalidProtocolBufferException exception)
        {
            (violations ??= []).Add(new Violation(field, $"is no valid TaskOptions message: {exception.Message}"));
            return TaskPolicy.Default;
        }

        var before = violations?.Count ?? 0;
        var policy = Map(message, field, ref violations);
        var cacheable = (violations?.Count ?? 0) == before && options.Length <= MaxCachedBytes && message.DependsOn.Count == 0;
        if (cacheable && _cache.Count < MaxCached)
            return _cache.GetOrAdd(options, policy);
        return policy with
        {
            KeptBytes = PolicyBytes + (sizeof(char) * options.Length) + (LabelBytes * message.Labels.Count) +
                (DependencyBytes * message.DependsOn.Count),
        };
    }

    /// <summary>The policy of parsed options.</summary>
    public static TaskPolicy Map(TaskOptions? options, string field, ref List<Violation>? violations)
    {
        if (options is null)
            return TaskPolicy.Default;
        var check = new Checker(field) { Violations = violations };
        check.Sizes(options);
        var policy = new TaskPolicy
        {
            Priority = options.Priority,
            QueueTimeout = check.Time(options.QueueTimeout, "queue_timeout", allowZero: true),
            RunTimeout = check.Time(options.RunTimeout, "run_timeout", allowZero: false),
            TotalTimeout = check.Time(options.TotalTimeout, "total_timeout", allowZero: false),
            CancelGrace = check.Time(options.CancelGrace, "cancel_grace", allowZero: true),
            ResultTtl = check.Time(options.ResultTtl, "result_ttl", allowZero: true),
            Retry = check.Retry(options.Retry),
            Placement = check.Placement(options.Placement),
            AffinityKey = options.AffinityKey,
            ConcurrencyKey = options.ConcurrencyKey,
            ConcurrencyLimit = check.Limit(options),
            RateLimiter = options.RateLimiter,
            FairnessKey = options.FairnessKey,
            FairnessWeight = check.Weight(options.FairnessWeight),
            DependsOn = options.DependsOn.Count == 0 ? [] : [.. options.DependsOn.Select(id => (long)id).Distinct()],
            Durability = check.Durability(options.Durability),
            Labels = options.Labels.Count == 0 ? null : new Dictionary<string, string>(options.Labels),
        };
        violations = check.Violations;
        return policy;
    }

    private sealed class Checker(string field)
    {
        public List<Violation>? Violations { get; set; }

        public TimeSpan? Time(Duration? duration, string name, bool allowZero)
        {
            if (duration is null)
                return null;
            var seconds = duration.Seconds + (duration.Nanos / 1e9);
            if (seconds < 0 || (seconds == 0 && !allowZero))
            {
                Add(name, FormattableString.Invariant(
                    $"{seconds:0.#########} s is not {(allowZero ? "zero or more" : "more than zero")}; leave it out for no limit"));
                return null;
            }

            return seconds >= MaxTimeout.TotalSeconds
                ? MaxTimeout : TimeSpan.FromTicks((duration.Seconds * TimeSpan.TicksPerSecond) + (duration.Nanos / 100));
        }

        public RetryRule? Retry(RetryPolicy? retry)
        {
            if (retry is null)
                return null;
            if (retry.MaxAttempts < 0)
                Add("retry.max_attempts", $"{retry.MaxAttempts} is negative; 0 and 1 both mean no retry");
            if (retry.BackoffMultiplier is < 0 or double.NaN or > 0 and < 1 or > 1_000)
                Add("retry.backoff_multiplier", FormattableString.Invariant(
                    $"{retry.BackoffMultiplier} is not between 1 and 1000; 0 takes the default of 2"));
            var initial = Time(retry.InitialBackoff, "retry.initial_backoff", allowZero: true) ?? DefaultBackoff;
            var longest = Time(retry.MaxBackoff, "retry.max_backoff", allowZero: true)
                ?? (initial > DefaultMaxBackoff ? initial : DefaultMaxBackoff);
            if (retry.MaxAttempts <= 1)
                return null;
            return new RetryRule(
                retry.MaxAttempts, initial, retry.BackoffMultiplier == 0 ? 2 : retry.BackoffMultiplier, longest, retry.RetryWorkerLost);
        }

        public PlacementPolicy Placement(Placement placement)
        {
            switch (placement)
            {
                case V1.Placement.Unspecified or V1.Placement.WorkerProcess:
                    return PlacementPolicy.WorkerProcess;
                case V1.Placement.InProcessSequential:
                    return PlacementPolicy.Sequential;
                case V1.Placement.InProcessThreads:
                    return PlacementPolicy.Threads;
                case V1.Placement.InProcessAsync:
                    return PlacementPolicy.Async;
                default:
                    Add("placement",
                        $"{(int)placement} is no Placement; 1 (worker process), 2 (in process, sequential), 3 (threads) and 4 (async) are");
                    return PlacementPolicy.WorkerProcess;
            }
        }

        public void Sizes(TaskOptions options)
        {
            if (FieldLimits.Find(options, field) is { } violation)
                (Violations ??= []).Add(violation);
        }

        public int Limit(TaskOptions options)
        {
            if (options.ConcurrencyLimit < 0)
                Add("concurrency_limit",
                    $"{options.ConcurrencyLimit} is negative; it is the number of tasks with this key that may run at once");
            if (options.ConcurrencyLimit != 0 && options.ConcurrencyKey.Length == 0)
                Add("concurrency_limit", "is given without a concurrency_key");
            return Math.Max(1, options.ConcurrencyLimit);
        }

        public double Weight(double weight)
        {
            if (weight is 0)
                return 1;
            if (weight is >= 0.001 and <= 1_000)
                return weight;
            Add("fairness_weight", FormattableString.Invariant($"{weight} is not between 0.001 and 1000; 0 means 1"));
            return 1;
        }

        public Core.Common.Durability Durability(Durability durability)
        {
            switch (durability)
            {
                case V1.Durability.Unspecified:
                    return Core.Common.Durability.Memory;
                case V1.Durability.Memory or V1.Durability.Process or V1.Durability.Disk:
                    return (Core.Common.Durability)(int)durability;
                default:
                    Add("durability", $"{(int)durability} is no Durability; 1 (memory), 2 (process) and 3 (disk) are");
                    return Core.Common.Durability.Memory;
            }
        }

        private void Add(string name, string description, ErrorReason reason = ErrorReason.Invalid) =>
            (Violations ??= []).Add(new Violation($"{field}.{name}", description, reason));
    }
}
