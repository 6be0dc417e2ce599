using Orchestrator.Core.Objects;
using Orchestrator.Core.Sessions;
using Orchestrator.Core.Waits;
using Orchestrator.Coordinator.Dispatch;

namespace Orchestrator.Coordinator.Engines;

/// <summary>
/// Who gets the outcomes of object commands. The methods are called under the engine's lock and may only take note; <see cref="IFlushable.Flush"/> follows once
/// the lock has been left.
/// </summary>
internal interface IObjectCaller : IFlushable
{
    /// <summary>A command of this caller waits.</summary>
    void OnWaiting(ulong tag, Wait wait);

    /// <summary>A command of this caller has its outcome.</summary>
    void OnOutcome(in ObjectDelivery delivery);
}

/// <summary>Who is told what its sessions must know; as <see cref="IObjectCaller"/>.</summary>
internal interface INoticeListener : IFlushable
{
    /// <summary>Whose stream it is, once that is known.</summary>
    Session? Session { get; }

    /// <summary>Something happened to a session that it listens for.</summary>
    void OnNotice(in ObjectNotice notice);
}
