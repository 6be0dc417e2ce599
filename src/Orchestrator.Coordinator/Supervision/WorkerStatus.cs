using Orchestrator.Core.TaskModel;
using Orchestrator.Worker.V1;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>A public snapshot of a slot.</summary>
internal sealed class WorkerStatus
{
    private readonly Dispatch.WorkerLink? _link;

    public WorkerStatus(WorkerSlot slot)
    {
        Name = slot.Name;
        Group = slot.Group.Name;
        Core = slot.Core;
        HasFailed = slot.HasFailed;
        IsBackingOff = slot.IsBackingOff;
        Restarts = slot.Restarts;
        LastExit = slot.LastExit;
        if (slot.Current is not { } current)
            return;
        Incarnation = current.Incarnation;
        Pid = current.Child.Pid;
        Child = current.Child;
        Socket = current.Launch.Socket;
        StartedAt = current.StartedAt;
        IsReady = current.Role == WorkerRole.Active;
        IsDraining = current.Role == WorkerRole.Draining;
        _link = current.Link;
    }

    public string Name { get; }

    public string Group { get; }

    public int Core { get; }

    public long Incarnation { get; }

    public int Pid { get; }

    /// <summary>Its process; null if there is none.</summary>
    public ChildProcess? Child { get; }

    public string Socket { get; } = "";

    /// <summary>Its start in the engines' time, in ticks.</summary>
    public long StartedAt { get; }

    public bool IsReady { get; }

    public bool IsDraining { get; }

    public bool HasFailed { get; }

    public bool IsBackingOff { get; }

    public long Restarts { get; }

    public string LastExit { get; }

    /// <summary>The engine's view, while a worker fills the slot.</summary>
    public WorkerNode? View => _link?.View;

    /// <summary>What it runs on, as its Hello says.</summary>
    public string Runtime => _link?.Runtime ?? "";

    /// <summary>Offered handlers with invalid names.</summary>
    public IEnumerable<string> LeftOut => _link?.LeftOut ?? [];

    /// <summary>The last heartbeat.</summary>
    public Vitals? Vitals => _link?.Vitals;
}
