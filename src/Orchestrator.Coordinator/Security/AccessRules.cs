using System.Collections.Frozen;
using Google.Protobuf.Reflection;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Security;

/// <summary>
/// The single table of access rules. A method without a rule is refused to every caller, so a new method cannot be forgotten.
/// </summary>
internal static class AccessRules
{
    private const string HealthService = "/grpc.health.v1.Health/";
    private const string ReflectionServices = "/grpc.reflection.";

    private static readonly FrozenDictionary<string, AccessRule> Rules = new[]
    {
        Of(TaskService.Descriptor, workers: false,
            observe: ["GetTask", "ListTasks", "WaitTasks", "WatchTasks", "ListHandlers"],
            submit: ["RunTask", "StreamTasks", "SubmitTasks", "CancelTasks"]),
        Of(AdminService.Descriptor, workers: false,
            observe:
            [
                "GetStatus", "WatchStatus", "WatchTelemetry", "GetHistory", "WatchEvents", "ExplainWaits", "ListDeadlocks", "ListSessions",
                "ListFlows", "ListLimits", "CreateLoginCode",
            ],
            operate: ["ScaleWorkers", "RecycleWorkers", "Drain", "InjectFault", "RunComparison"]),
        Of(SessionService.Descriptor, workers: true,
            submit: ["CreateSession", "KeepSessionAlive", "CloseSession", "Connect"]),
        Of(QueueService.Descriptor, workers: true,
            observe: ["GetQueue", "ListQueues"],
            submit: ["CreateQueue", "Put", "Get", "Settle", "MarkDone", "Join", "ShutDownQueue", "DeleteQueue", "Produce", "Consume"]),
        // Shows what others have put.
        Of(QueueService.Descriptor, workers: false,
            operate: ["PeekQueue"]),
        Of(PipeService.Descriptor, workers: true,
            observe: ["ListPipes"],
            submit: ["CreatePipe", "AttachPipe", "Send", "Receive", "ClosePipeEnd"]),
        Of(StateService.Descriptor, workers: true,
            observe: ["ReadDict", "ReadList", "ReadValue", "ReadArray", "WatchState", "ListState"],
            submit: ["UpdateDict", "UpdateList", "UpdateValue", "UpdateArray", "DeleteState"]),
        Of(SyncService.Descriptor, workers: true,
            observe: ["ListSync"],
            submit:
            [
                "AcquireLock", "ReleaseLock", "AcquireSemaphore", "ReleaseSemaphore", "WaitEvent", "SetEvent", "WaitCondition",
                "NotifyCondition",
                "WaitBarrier", "ControlBarrier", "WaitLatch", "CountDownLatch", "CreateRateLimiter", "DeleteRateLimiter", "AcquirePermits",
            ]),
    }.SelectMany(rules => rules).ToFrozenDictionary();

    /// <summary>Needs no credential: process monitors have none.</summary>
    public static bool IsOpen(string method) => method.StartsWith(HealthService, StringComparison.Ordinal);

    /// <summary>The rule for a method such as <c>/orchestrator.v1.TaskService/RunTask</c>; null where there is none.</summary>
    public static AccessRule? Find(string method) =>
        Rules.TryGetValue(method, out var rule) ? rule
        : method.StartsWith(ReflectionServices, StringComparison.Ordinal) ? new AccessRule(Role.Observe, Workers: false)
        : null;

    private static IEnumerable<KeyValuePair<string, AccessRule>> Of(
        ServiceDescriptor service, bool workers, string[]? observe = null, string[]? submit = null, string[]? operate = null)
    {
        return [.. Rows(observe, Role.Observe), .. Rows(submit, Role.Submit), .. Rows(operate, Role.Operate)];

        IEnumerable<KeyValuePair<string, AccessRule>> Rows(string[]? methods, Role role) =>
            (methods ?? []).Select(method => KeyValuePair.Create($"/{service.FullName}/{method}", new AccessRule(role, workers)));
    }
}

/// <summary>The access rule of a method.</summary>
/// <param name="Least">The minimum role of a client.</param>
/// <param name="Workers">Whether handlers in workers may call it too.</param>
internal readonly record struct AccessRule(Role Least, bool Workers);
