using System.Runtime.InteropServices;
using Orchestrator.Transport.RawMessages;
using Orchestrator.Worker.Execution;

namespace Orchestrator.Worker.Service;

/// <summary>
/// Carries out the control part of a request; its assignments are started, or left for <see cref="TaskExecutor.RunInline"/>. Used by one
/// thread at a time.
/// </summary>
internal sealed class ExecuteRequestHandler(TaskExecutor executor)
{
    private readonly NameTable _handlers = new();
    private readonly List<RawAssignment> _assignments = [];

    /// <param name="message">An <c>ExecuteRequest</c>; not kept.</param>
    /// <exception cref="InvalidDataException">The bytes are no such message. Nothing of it has been carried out.</exception>
    public void Apply(ReceivedBytes message)
    {
        _assignments.Clear();
        var items = new RepeatedFieldReader<RawExecuteRequest>(message, RawAssignment.Field);
        while (items.Next(out var item))
            _assignments.Add(RawAssignment.Read(item, _handlers));

        if (items.Rest?.Identity is { } identity)
            executor.WorkerName = $"{identity.Name}#{identity.Incarnation}";
        if (_assignments.Count > 0)
            executor.EnqueueForInline(CollectionsMarshal.AsSpan(_assignments));
        // Each context has its own copy; entries left here would keep the inputs of an idle stream alive.
        _assignments.Clear();
        if (items.Rest is { } request)
            Apply(request);
    }

    private void Apply(RawExecuteRequest request)
    {
        foreach (var cancel in request.Cancels)
            executor.Cancel(cancel.TaskId, cancel.Attempt);
        if (request.GiveBack.Count > 0)
            executor.GiveBack(request.GiveBack);
        if (request.Drain)
            executor.Drain();
    }
}
