using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>Converts the handlers that workers announce.</summary>
internal static class HandlerOffers
{
    public static HandlerOffer Of(V1.HandlerInfo info) => new(
        info.Name,
        info.Kind switch
        {
            V1.TaskKind.Io => WorkKind.Io,
            V1.TaskKind.Blocking => WorkKind.Blocking,
            _ => WorkKind.Cpu,
        },
        info);

    /// <summary>A worker's description of a handler, with the groups that offer it.</summary>
    public static V1.HandlerInfo ToInfo(HandlerProfile handler)
    {
        var info = ((V1.HandlerInfo)handler.Description!).Clone();
        info.Groups.Clear();
        info.Groups.AddRange(handler.Groups);
        return info;
    }
}
