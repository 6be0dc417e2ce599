using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>What the supervision logs.</summary>
internal static partial class SupervisorLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Worker} is ready (pid {Pid})")]
    public static partial void Ready(ILogger logger, string worker, int pid);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Worker} (pid {Pid}) {Cause}")]
    public static partial void Lost(ILogger logger, string worker, int pid, string cause);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Worker} (pid {Pid}) is condemned: a task ignored its cancellation")]
    public static partial void Condemned(ILogger logger, string worker, int pid);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Worker} (pid {Pid}) is not killed while a debugger is attached to it: {Cause}")]
    public static partial void Debugged(ILogger logger, string worker, int pid, string cause);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Worker}: {Reason}")]
    public static partial void OfferRefused(ILogger logger, string worker, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Ended what workers of a killed coordinator had left running: pid {Pids}")]
    public static partial void Swept(ILogger logger, string pids);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Worker} cannot be started: {Reason}")]
    public static partial void StartFailed(ILogger logger, string worker, string reason);

    [LoggerMessage(Level = LogLevel.Error,
        Message = "{Slot} is given up after {Deaths} early deaths, the last: {Cause}; 'orchestrator recycle' tries again")]
    public static partial void GivenUp(ILogger logger, string slot, int deaths, string cause);

    /// <summary>Reports the processes that workers of a killed coordinator had left running.</summary>
    public static void ReportSwept(ILogger logger, EventLog events, IReadOnlyList<int> swept)
    {
        if (swept.Count == 0)
            return;
        var pids = string.Join(", ", swept);
        events.Add("coordinator.swept", "coordinator", $"ended what workers of a killed coordinator had left running: pid {pids}");
        Swept(logger, pids);
    }
}
