using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Journal;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Security;
using Orchestrator.Coordinator.Services;
using Orchestrator.Coordinator.Supervision;
using Orchestrator.Core.Common;

namespace Orchestrator.Coordinator.Telemetry;

/// <summary>Every limit and its current use.</summary>
internal sealed class LimitReporter(
    TaskEngineHost host, ObjectEngineHost objects, MemoryBudget memory, StreamRegistry streams, ChangeJournal journal,
    CoordinatorOptions options,
    WorkerSupervisor workers, IncompleteMessageLimits incoming)
{
    /// <summary>The limits over all clients, with current values.</summary>
    public IReadOnlyList<V1.Limit> Shared()
    {
        var engine = host.Options;
        var (tasks, bytes, ids, keys) = host.Read(
            view => (view.Unfinished + view.Retained, view.PayloadBytes, view.RequestIdCount, view.AffinityKeyCount));
        return
        [
            New("tasks", "Tasks that are unfinished or hold a kept result", engine.MaxTasks, tasks, "tasks"),
            New("payload_bytes_total", "Inputs of unfinished tasks and kept results", engine.MaxPayloadBytes, bytes, "bytes"),
            New("request_ids", "Request ids that are remembered", engine.MaxRequestIds, ids, "ids"),
            New("affinity_keys", "Affinity keys that are remembered", engine.MaxAffinityKeys, keys, "keys"),
            New("memory", "Resident memory of the coordinator (used), within its memory budget", options.MemoryBudget,
                Environment.WorkingSet, "bytes"),
            New("memory_kept", $"Kept for others, with a record for each; new work is refused beyond {memory.AdmissionLimit:N0}",
                memory.Limit, memory.Used, "bytes"),
            New("incoming_bytes",
                $"Messages that have not arrived whole, of all connections; {incoming.OfOneConnection:N0} of one " +
                $"(incoming_bytes_per_connection), each within {IncompleteMessageLimits.ArrivalLimit.TotalSeconds:0} s (message_arrival)",
                incoming.Limit, incoming.Bytes, "bytes"),
            .. objects.Read((view, _) => view.Limits()).Select(
                limit => New(limit.Name, limit.Description, limit.Maximum, limit.Used, limit.Unit)),
            New("streams", "Open task streams", 0, streams.Count, "streams"),
            New("history_tasks", "Ends of durable tasks that the journal keeps for ListTasks", journal.Options.HistoryTasks, 0, "tasks"),
            New("history_bytes", "Size of those ends", journal.Options.HistoryBytes, journal.HistoryBytes, "bytes"),
        ];
    }

    /// <summary>The limits of one client, and those of one message, stream or worker, whose use is not counted.</summary>
    public IReadOnlyList<V1.Limit> Of(ClientQuota client)
    {
        var engine = host.Options;
        return
        [
            New("tasks_per_client", $"Unfinished tasks of one client (used: yours, {client.Tasks.Name})", engine.MaxTasksPerClient,
                client.Tasks.Unfinished, "tasks"),
            New("payload_bytes_per_client", "Inputs of those", engine.MaxPayloadBytesPerClient, client.Tasks.InputBytes, "bytes"),
            New("memory_kept_per_client", "Those inputs, with a record for each task", memory.PerClientLimit, client.Tasks.InputBytes,
                "bytes"),
            New("sessions_per_client", "Sessions of one client: created, of its holds without a session, of its tasks",
                options.Objects.MaxSessionsPerClient, client.Objects.Sessions, "sessions"),
            New("objects_per_client", "Named objects that one client has made", options.Objects.MaxObjectsPerClient, client.Objects.Objects,
                "objects"),
            New("object_bytes_per_client", "What those hold, and its waits", memory.PerClientLimit, client.Objects.Bytes, "bytes"),
            New("waits_per_client", "Commands of one client that wait", options.Objects.MaxWaitsPerClient, client.Objects.Waits, "waits"),
            New("streams_per_client", "Open streams of one client", options.MaxStreamsPerClient, client.Streams, "streams"),
            New("payload_bytes", "One input, output, item, message or value", options.PayloadBytes, 0, "bytes"),
            New("message_bytes", "One message of a call", options.MessageBytes, 0, "bytes"),
            .. FieldLimits.All.Select(limit => New(limit.Name, limit.Description, limit.Maximum, 0, limit.Unit)),
            New("stream_credits", "Unfinished or unread tasks of one stream", options.CreditsPerStream, 0, "tasks"),
            New("stream_credit_bytes", "Inputs of those", options.CreditBytesPerStream, 0, "bytes"),
            New("delivered_results", "Results that stay readable after they were delivered", engine.MaxDeliveredResults, 0, "results"),
            New("worker_prefetch", "Tasks sent ahead to one worker's CPU lane", engine.MaxCredits, 0, "tasks"),
            New("worker_io", "IO tasks that one worker runs at once", workers.Options.MaxConcurrentIo, 0, "tasks"),
            New("worker_blocking", "Blocking tasks that one worker runs at once", workers.Options.BlockingThreads, 0, "tasks"),
        ];
    }

    private static V1.Limit New(string name, string description, long maximum, long used, string unit) =>
        new() { Name = name, Description = description, Maximum = maximum, Used = used, Unit = unit };
}
