using Google.Protobuf.WellKnownTypes;
using Orchestrator.Core.Tasks;
using V1 = Orchestrator.V1;

namespace Orchestrator.Coordinator.Services;

/// <summary><see cref="TaskPolicy"/> back to the options that it came from.</summary>
internal static class PolicyWriter
{
    public static V1.TaskOptions ToOptions(TaskPolicy policy)
    {
        var options = new V1.TaskOptions
        {
            Priority = policy.Priority,
            QueueTimeout = ToDuration(policy.QueueTimeout),
            RunTimeout = ToDuration(policy.RunTimeout),
            TotalTimeout = ToDuration(policy.TotalTimeout),
            CancelGrace = ToDuration(policy.CancelGrace),
            ResultTtl = ToDuration(policy.ResultTtl),
            Placement = policy.Placement switch
            {
                TaskPlacement.Sequential => V1.Placement.InProcessSequential,
                TaskPlacement.Threads => V1.Placement.InProcessThreads,
                TaskPlacement.Async => V1.Placement.InProcessAsync,
                _ => V1.Placement.WorkerProcess,
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
            options.Retry = new V1.RetryPolicy
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
}
