using System.Collections.Concurrent;
using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Security;

/// <summary>
/// Restricts a task's session to the worker that runs the task: its id is guessable, so every session id in a worker's request is checked,
/// wherever it occurs in the request. Other sessions have unguessable ids.
/// </summary>
internal sealed class TaskSessionAuthorizer(TaskEngineHost tasks)
{
    private const string SessionField = "session_id";

    // By descriptor instead of by a list of requests, so that a new request cannot be forgotten. Computed once per message type.
    private readonly ConcurrentDictionary<MessageDescriptor, FieldDescriptor[]> _paths = new();

    /// <summary>Throws PERMISSION_DENIED if the request names the session of a task that another worker runs.</summary>
    public void Check(object request, WorkerIdentity worker)
    {
        // The coordinator's own process runs tasks of all in-process placements.
        if (worker.Incarnation != 0 && request is IMessage message)
            Visit(message, worker);
    }

    /// <summary>The same for each request of a stream.</summary>
    public IAsyncStreamReader<T> Check<T>(IAsyncStreamReader<T> requests, WorkerIdentity worker) => new Reader<T>(this, requests, worker);

    private void Visit(IMessage message, WorkerIdentity worker)
    {
        foreach (var field in PathsOf(message.Descriptor))
        {
            if (field.FieldType == FieldType.String)
                CheckSession((string)field.Accessor.GetValue(message), worker);
            else if (field.IsRepeated)
                VisitAll((System.Collections.IEnumerable)field.Accessor.GetValue(message), worker);
            else if (field.Accessor.GetValue(message) is IMessage inner)
                Visit(inner, worker);
        }
    }

    private void VisitAll(System.Collections.IEnumerable messages, WorkerIdentity worker)
    {
        foreach (IMessage message in messages)
            Visit(message, worker);
    }

    private void CheckSession(string session, WorkerIdentity worker)
    {
        if (!TaskSessionIds.TryParse(session, out var task, out var attempt))
            return;
        // Null if the attempt no longer runs: the engine reports its state.
        if (tasks.Read(view => view.WorkerOf(task, attempt)) is { } owner && IncarnationOf(owner) != worker.Incarnation)
            throw RpcErrors.Create(ErrorReason.PermissionDenied, $"{session} is the session of a task that another worker runs");
    }

    /// <summary>The 3 of <c>worker-1#3</c>; 0 if there is no such number.</summary>
    private static long IncarnationOf(string worker) =>
        long.TryParse(worker.AsSpan(worker.IndexOf('#') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var incarnation)
            ? incarnation : 0;

    private FieldDescriptor[] PathsOf(MessageDescriptor message) =>
        _paths.TryGetValue(message, out var known) ? known : _paths.GetOrAdd(message, FindPaths(message));

    private static FieldDescriptor[] FindPaths(MessageDescriptor message) =>
        [.. message.Fields.InDeclarationOrder().Where(field => IsSession(field) || (LeadsOn(field) && Reaches(field.MessageType, [])))];

    private static bool IsSession(FieldDescriptor field) => field.Name == SessionField && field.FieldType == FieldType.String;

    private static bool LeadsOn(FieldDescriptor field) => field.FieldType == FieldType.Message && !field.IsMap;

    private static bool Reaches(MessageDescriptor message, HashSet<MessageDescriptor> seen) =>
        seen.Add(message)
            && message.Fields.InDeclarationOrder().Any(field => IsSession(field) || (LeadsOn(field) && Reaches(field.MessageType, seen)));

    private sealed class Reader<T>(TaskSessionAuthorizer sessions, IAsyncStreamReader<T> inner, WorkerIdentity worker)
        : IAsyncStreamReader<T>
    {
        public T Current => inner.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            if (!await inner.MoveNext(cancellationToken))
                return false;
            sessions.Check(inner.Current!, worker);
            return true;
        }
    }
}
