using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Coordinator.Tracing;
using Orchestrator.Core.TaskModel;
using Orchestrator.Transport.RawMessages;

namespace Orchestrator.Coordinator.Dispatch;

/// <summary>Converts assignments to their wire form.</summary>
internal static class Assignments
{
    public static RawAssignment ToMessage(in AttemptAssignment assignment)
    {
        var task = assignment.Task;
        return new RawAssignment
        {
            TaskId = (ulong)task.Id,
            Attempt = assignment.Attempt,
            Handler = task.Handler.Name,
            Input = (ByteString)assignment.Input!,
            Slot = (uint)assignment.Slot,
            RunTimeout = task.Policy.RunTimeout is { } run ? Duration.FromTimeSpan(run) : null,
            Traceparent = TaskTracer.ContextFor(task, assignment.Attempt),
            Timing = task.Owner is { WantsTiming: true },
        };
    }
}
