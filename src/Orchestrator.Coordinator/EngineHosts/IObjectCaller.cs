using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Coordinator.EngineHosts;

/// <summary>
/// Receives the outcomes of object commands. The methods are called under the engine's lock and may only queue;
/// <see cref="IFlushable.Flush"/> follows once the lock has been released.
/// </summary>
internal interface IObjectCaller : IFlushable
{
    /// <summary>A command of this caller waits.</summary>
    void OnWaiting(ulong tag, Wait wait);

    /// <summary>A command of this caller has its outcome.</summary>
    void OnOutcome(in ObjectDelivery delivery);
}

/// <summary>Receives notices for its sessions; see also <see cref="IObjectCaller"/>.</summary>
internal interface INoticeListener : IFlushable
{
    /// <summary>The stream's session, once it is known.</summary>
    Session? Session { get; }

    /// <summary>A session of this listener has a notice.</summary>
    void OnNotice(in ObjectNotice notice);
}
