using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Core.TaskModel;
using Orchestrator.Protocol;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>
/// Warns when two groups use one handler name for different kinds of work: the engine keeps the first, and the second's author must learn
/// of it. Also warns of invalid names.
/// </summary>
internal static class RefusedOffers
{
    public static void Report(
        WorkerProcess process, IReadOnlyList<WorkerGroup> groups, TaskEngineHost host, EventLog events, ILogger logger)
    {
        var link = process.Link!;
        var refused = link.LeftOut.Select(name => $"its handler '{name}' is left out: a handler's name has {HandlerNames.Rule}").ToList();
        if (groups.Count > 1)
        {
            refused.AddRange(host.Read(view => link.Hello.Handlers
                .Join(view.HandlersOf(PlacementPolicy.WorkerProcess), offer => offer.Name, known => known.Name, (_, known) => known)
                .Where(known => !known.Groups.Contains(process.Group.Name))
                .Select(known =>
                    $"its handler '{known.Name}' is not used: group {string.Join(" and ", known.Groups)} has one of that name " +
                                 $"of the kind {known.Kind}; give it another name")
                .ToArray()));
        }

        foreach (var reason in refused)
        {
            events.Add("worker.handler_refused", process.Name, reason);
            SupervisorLog.OfferRefused(logger, process.Name, reason);
        }
    }
}
