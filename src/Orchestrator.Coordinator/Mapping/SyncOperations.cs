using Google.Protobuf.WellKnownTypes;
using Orchestrator.Core.Barriers;
using Orchestrator.Core.Conditions;
using Orchestrator.Core.Events;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Latches;
using Orchestrator.Core.Locks;
using Orchestrator.Core.Objects;
using Orchestrator.Core.RateLimiters;
using Orchestrator.Core.Semaphores;
using Orchestrator.V1;
using BarrierAction = Orchestrator.Core.Barriers.BarrierAction;
using LockMode = Orchestrator.Core.Locks.LockMode;
using RateLimiterSpec = Orchestrator.Core.RateLimiters.RateLimiterSpec;
using WaitStatus = Orchestrator.V1.WaitStatus;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>Converts requests of <c>SyncService</c> to commands, and outcomes to responses.</summary>
internal static class SyncOperations
{
    public static AcquireLock ToCommand(AcquireLockRequest request) => new(
        request.Lock,
        request.Mode == V1.LockMode.Unspecified ? LockMode.Plain : (LockMode)Narrow((int)request.Mode))
    {
        Timeout = ProtoTime.ToTimeSpan(request.Timeout),
        Lease = ProtoTime.ToTimeSpan(request.Lease),
        Flow = request.Flow,
        RequestId = PayloadMapper.RequestId(request.RequestId),
    };

    public static AcquireLockResponse ToResponse(AcquireLockOutcome outcome) => new()
    {
        Status = (WaitStatus)(int)outcome.Status,
        FencingToken = outcome.FencingToken,
        SessionId = outcome.Session?.Id ?? "",
        Depth = outcome.Depth,
    };

    public static ReleaseLock ToCommand(ReleaseLockRequest request) =>
        new(request.Lock) { RequestId = PayloadMapper.RequestId(request.RequestId) };

    public static ReleaseLockResponse ToResponse(ReleaseLockOutcome outcome) => new() { Depth = outcome.Depth };

    public static AcquireSemaphore ToCommand(AcquireSemaphoreRequest request) => new(request.Semaphore, request.Permits)
    {
        InitialPermits = request.HasInitialPermits ? request.InitialPermits : null,
        Bounded = request.Bounded,
        Timeout = ProtoTime.ToTimeSpan(request.Timeout),
        Lease = ProtoTime.ToTimeSpan(request.Lease),
        Flow = request.Flow,
        RequestId = PayloadMapper.RequestId(request.RequestId),
    };

    public static AcquireSemaphoreResponse ToResponse(AcquireSemaphoreOutcome outcome) => new()
    {
        Status = (WaitStatus)(int)outcome.Status,
        SessionId = outcome.Session?.Id ?? "",
        AvailablePermits = outcome.AvailablePermits,
    };

    public static ReleaseSemaphore ToCommand(ReleaseSemaphoreRequest request) => new(request.Semaphore, request.Permits)
    {
        InitialPermits = request.HasInitialPermits ? request.InitialPermits : null,
        RequestId = PayloadMapper.RequestId(request.RequestId),
    };

    public static ReleaseSemaphoreResponse ToResponse(ReleaseSemaphoreOutcome outcome) =>
        new() { AvailablePermits = outcome.AvailablePermits };

    public static WaitEvent ToCommand(WaitEventRequest request) => new(request.Event) { Timeout = ProtoTime.ToTimeSpan(request.Timeout) };

    public static WaitEventResponse ToResponse(WaitEventOutcome outcome) => new() { Status = (WaitStatus)(int)outcome.Status };

    public static SetEvent ToCommand(SetEventRequest request) =>
        new(request.Event, request.Set) { RequestId = PayloadMapper.RequestId(request.RequestId) };

    public static SetEventResponse ToResponse(SetEventOutcome outcome) => new() { WasSet = outcome.WasSet };

    public static WaitCondition ToCommand(WaitConditionRequest request) =>
        new(request.Condition, request.Lock)
        {
            Timeout = ProtoTime.ToTimeSpan(request.Timeout),
            Flow = request.Flow,
            RequestId = PayloadMapper.RequestId(request.RequestId)
        };

    public static WaitConditionResponse ToResponse(WaitConditionOutcome outcome) => new()
    {
        Status = (WaitStatus)(int)outcome.Status,
        FencingToken = outcome.FencingToken,
    };

    public static NotifyCondition ToCommand(NotifyConditionRequest request) =>
        new(request.Condition, request.Lock, request.Count) { RequestId = PayloadMapper.RequestId(request.RequestId) };

    public static NotifyConditionResponse ToResponse(NotifyConditionOutcome outcome) => new() { Notified = outcome.Notified };

    public static WaitBarrier ToCommand(WaitBarrierRequest request) =>
        new(request.Barrier, request.Parties)
        {
            Timeout = ProtoTime.ToTimeSpan(request.Timeout),
            RequestId = PayloadMapper.RequestId(request.RequestId)
        };

    public static WaitBarrierResponse ToResponse(WaitBarrierOutcome outcome) => new()
    {
        Status = (WaitStatus)(int)outcome.Status,
        Index = outcome.Index,
        Generation = outcome.Generation,
    };

    public static ControlBarrier ToCommand(ControlBarrierRequest request) =>
        new(request.Barrier, (BarrierAction)Narrow((int)request.Action)) { RequestId = PayloadMapper.RequestId(request.RequestId) };

    public static ControlBarrierResponse ToResponse(ControlBarrierOutcome outcome) => new() { Waiting = outcome.Waiting };

    public static WaitLatch ToCommand(WaitLatchRequest request) =>
        new(request.Latch, request.Count)
        {
            Timeout = ProtoTime.ToTimeSpan(request.Timeout),
            RequestId = PayloadMapper.RequestId(request.RequestId)
        };

    public static WaitLatchResponse ToResponse(WaitLatchOutcome outcome) =>
        new() { Status = (WaitStatus)(int)outcome.Status, Remaining = outcome.Remaining };

    public static CountDownLatch ToCommand(CountDownLatchRequest request) =>
        new(request.Latch, request.Count, request.By) { RequestId = PayloadMapper.RequestId(request.RequestId) };

    public static CountDownLatchResponse ToResponse(CountDownLatchOutcome outcome) => new() { Remaining = outcome.Remaining };

    public static CreateRateLimiter ToCommand(CreateRateLimiterRequest request)
    {
        var spec = request.Spec ?? new V1.RateLimiterSpec();
        return new CreateRateLimiter(new RateLimiterSpec(
            spec.Name, spec.Permits, ProtoTime.ToTimeSpan(spec.Period) ?? TimeSpan.Zero, spec.Burst, spec.SlidingWindow));
    }

    public static CreateRateLimiterResponse ToResponse(CreateRateLimiterOutcome outcome) => new()
    {
        Spec = new V1.RateLimiterSpec
        {
            Name = outcome.Spec.Name,
            Permits = outcome.Spec.Permits,
            Period = Duration.FromTimeSpan(outcome.Spec.Period),
            Burst = outcome.Spec.Burst,
            SlidingWindow = outcome.Spec.SlidingWindow,
        },
    };

    public static DeleteRateLimiter ToCommand(DeleteRateLimiterRequest request) => new(request.RateLimiter);

    public static AcquirePermits ToCommand(AcquirePermitsRequest request) =>
        new(request.RateLimiter, request.Permits)
        {
            Timeout = ProtoTime.ToTimeSpan(request.Timeout),
            RequestId = PayloadMapper.RequestId(request.RequestId)
        };

    public static AcquirePermitsResponse ToResponse(AcquirePermitsOutcome outcome)
    {
        var response = new AcquirePermitsResponse { Status = (WaitStatus)(int)outcome.Status };
        if (outcome.Status == Core.Kernel.WaitStatus.Timeout)
            response.RetryAfter = ProtoTime.ToDuration(outcome.RetryAfter);
        return response;
    }

    public static ListSyncResponse ToResponse(SyncPage page)
    {
        var objects = page.Objects.Select(item => new V1.SyncInfo
        {
            Object = item.ObjectName,
            Description = item.Description,
            Holders = { item.Holders.Select(ToHolder) },
            Waiters = { item.Waiters.Select(ToHolder) },
        }).ToArray();
        var fitting = Pages.Fitting(objects, objects.Length);
        return new ListSyncResponse
        {
            Objects = { objects.Take(fitting) },
            // The page token is the name of the page's last object.
            NextPageToken = fitting < objects.Length ? objects[fitting - 1].Object : page.NextPageToken,
        };
    }

    private static Holder ToHolder(SyncHolder holder) => new()
    {
        SessionId = holder.Session?.Alias ?? "",
        DisplayName = holder.Session?.DisplayName ?? "",
        Age = Duration.FromTimeSpan(holder.Age),
        FencingToken = holder.FencingToken,
        TaskId = (ulong)(holder.Session?.Task?.TaskId ?? 0),
    };

    // A wire enumeration may hold any number; one outside the engine's type is treated as unknown, like 255.
    private static byte Narrow(int value) => (byte)Math.Clamp(value, 0, byte.MaxValue);
}
