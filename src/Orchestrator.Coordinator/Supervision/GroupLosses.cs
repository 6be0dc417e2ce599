using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>Tells the engine which groups have been given up.</summary>
internal static class GroupLosses
{
    /// <summary>
    /// The engine fails tasks that only given-up groups can run, and lets such tasks wait again once the groups are restarted.
    /// </summary>
    public static void Update(
        IReadOnlyList<WorkerGroup> groups, List<WorkerSlot> slots, SupervisorOptions options, TaskEngineHost host, EventLog events)
    {
        foreach (var group in groups)
        {
            var own = slots.FindAll(slot => slot.Group == group);
            var isLost = own.Count > 0 && own.TrueForAll(slot => slot.HasFailed);
            if (isLost == group.Loss is not null)
                continue;
            if (isLost)
            {
                group.GiveUp(options.MaxEarlyDeaths);
                events.Add("group.given_up", group.Name, group.Loss!.Message);
                host.Apply(new TaskCommand.GroupGivenUp(group.Loss));
            }
            else
            {
                group.Revive();
                host.Apply(new TaskCommand.GroupStarting(group.Name));
            }
        }
    }
}
