using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Supervision;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Admin;

/// <summary>Kills, stops and slows workers on request, to see what follows.</summary>
internal sealed class FaultInjector(WorkerSupervisor workers, CoordinatorOptions options, EventLog events, MonotonicClock clock)
{
    private static readonly TimeSpan DefaultDuration = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MaxDuration = TimeSpan.FromSeconds(60);

    // A worker that is slow runs for one of these, then stands for one.
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(50);

    /// <summary>Begins a fault; it ends by itself.</summary>
    /// <exception cref="Grpc.Core.RpcException">PERMISSION_DENIED, INVALID or NOT_FOUND.</exception>
    public InjectFaultResponse Inject(InjectFaultRequest request)
    {
        if (!options.AllowChaos)
        {
            throw RpcErrors.Create(
                ErrorReason.PermissionDenied, "this coordinator allows no faults: it was started without --allow-chaos");
        }

        var duration = ProtoTime.ToWait(request.Duration) ?? DefaultDuration;
        if (duration <= TimeSpan.Zero || duration > MaxDuration)
            throw RpcErrors.Invalid("duration", $"{duration.TotalSeconds} s is not between 0 and {MaxDuration.TotalSeconds} s");
        if (request.Kind is not (FaultKind.Kill or FaultKind.Stop or FaultKind.Slow))
            throw RpcErrors.Invalid("kind", $"{(int)request.Kind} is no fault; 1 (kill), 2 (stop) and 3 (slow) are");
        var slots = workers.Status;
        if (slots.FirstOrDefault(slot => slot.Name == request.Worker) is not { Child: { } child } victim)
        {
            throw RpcErrors.Create(
                ErrorReason.NotFound,
                $"no process runs for a worker '{request.Worker}'; the workers are {string.Join(", ", slots.Select(slot => slot.Name))}");
        }

        var name = $"{victim.Name}#{victim.Incarnation}";
        var what = request.Kind switch
        {
            FaultKind.Kill => "it was killed",
            FaultKind.Stop => $"it was stopped for {duration.TotalSeconds:0.#} s",
            _ => $"it was slowed to a half for {duration.TotalSeconds:0.#} s",
        };
        events.Add("fault.injected", name, $"{what} on request");
        if (request.Kind == FaultKind.Kill)
            child.Signal(NativeMethods.SigKill);
        else
            _ = StopAsync(child, request.Kind == FaultKind.Stop ? duration : Slice, duration);
        return new InjectFaultResponse { Worker = name, Pid = victim.Pid };
    }

    /// <summary>Stops the process, again and again for a slice, until the time is over; in the end it runs.</summary>
    private async Task StopAsync(ChildProcess child, TimeSpan slice, TimeSpan duration)
    {
        for (var began = clock.Now; clock.Now - began < duration;)
        {
            child.Signal(NativeMethods.SigStop);
            await Task.Delay(slice, clock.Provider);
            child.Signal(NativeMethods.SigContinue);
            if (slice < duration)
                await Task.Delay(slice, clock.Provider);
        }
    }
}
