using System.Globalization;
using Orchestrator.Protocol;

namespace Orchestrator.Coordinator.EngineHosts;

/// <summary>The session ids of task attempts: a worker derives them without a request, so a task that uses no session costs none.</summary>
internal static class TaskSessionIds
{
    /// <summary>Reads an id such as <c>task-12-1</c>.</summary>
    public static bool TryParse(string id, out long taskId, out int attempt)
    {
        taskId = attempt = 0;
        if (!id.StartsWith(ProtocolConstants.TaskSessionPrefix, StringComparison.Ordinal))
            return false;
        var rest = id.AsSpan(ProtocolConstants.TaskSessionPrefix.Length);
        var split = rest.IndexOf('-');
        return split > 0
            && long.TryParse(rest[..split], NumberStyles.None, CultureInfo.InvariantCulture, out taskId)
            && int.TryParse(rest[(split + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out attempt);
    }
}
