using System.Runtime.InteropServices;
using Google.Protobuf.Collections;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary>The reading side of one Connect stream: executes its operations in order.</summary>
/// <param name="host">The engine.</param>
/// <param name="stream">Answers the client.</param>
/// <param name="session">The stream's own session.</param>
internal sealed class ConnectSession(ObjectEngineHost host, ConnectStream stream, Session session)
{
    // Made by the first operation that has to follow another.
    private OperationFollowing? _following;

    /// <summary>Executes the operations and the cancels of one message. Called by one thread at a time.</summary>
    public void Take(ConnectRequest request)
    {
        if (request.Operations.Count > 0)
            Execute(request.Operations);
        if (request.CancelOperationIds.Count == 0)
            return;
        if (_following is { } following)
            following.Cancel([.. request.CancelOperationIds]);
        else
            Cancel([.. request.CancelOperationIds]);
    }

    /// <summary>The stream has ended: what is held back will not run.</summary>
    public void Close() => _following?.Close();

    /// <summary>Cancels what the engine knows of these operations.</summary>
    public void Cancel(IReadOnlyList<ulong> operationIds)
    {
        host.Apply(new ObjectRequest(new CancelOperations(operationIds) { Session = session, Client = stream.Client }));
        foreach (var waiting in stream.WaitingElsewhere(operationIds))
            host.Apply(new ObjectRequest(new CancelOperations([.. waiting]) { Session = waiting.Key }));
    }

    /// <summary>Asks a question; its answer sees the effects of the commands that were applied before.</summary>
    public ObjectOutcome Ask(Func<ObjectEngineView, TimeSpan, ObjectOutcome> read)
    {
        try
        {
            return host.Read(read);
        }
        catch (RequestValidationException refused)
        {
            return refused.Error;
        }
    }

    /// <summary>Applies commands in order under one lock, and empties the list.</summary>
    public void Apply(List<ObjectRequest> requests)
    {
        if (requests.Count == 0)
            return;
        host.Apply(CollectionsMarshal.AsSpan(requests));
        requests.Clear();
    }

    private void Execute(RepeatedField<Operation> operations)
    {
        var requests = new List<ObjectRequest>(operations.Count);
        var uncounted = 0;
        var isCorked = false;
        for (var i = 0; i < operations.Count; i++)
        {
            var operation = operations[i];
            var ready = Prepare(operation);
            if (ready.Refused is null && operation.After != 0)
            {
                if (!isCorked)
                {
                    // What runs after another operation of this message is answered in one message with it.
                    isCorked = true;
                    stream.Cork();
                }

                _following ??= new OperationFollowing(this, stream, session.Id);
                if (_following.Hold(ready, operation.After, operation.CalculateSize(), requests) is { } refused)
                    ready = ready with { Refused = refused };
                else
                    continue;
            }

            if (ready is { Refused: null, Request: { } request })
            {
                requests.Add(request);
                uncounted++;
                continue;
            }

            // A read sees the effects of earlier requests.
            ApplyCounted(requests, ref uncounted);
            stream.Answer(operation.OperationId, ready.Refused ?? Ask(ready.Read!));
        }

        ApplyCounted(requests, ref uncounted);
        if (isCorked)
            stream.Uncork();
    }

    private void ApplyCounted(List<ObjectRequest> requests, ref int uncounted)
    {
        if (uncounted > 0)
            stream.Expect(uncounted);
        uncounted = 0;
        Apply(requests);
    }

    private ReadyOperation Prepare(Operation operation)
    {
        var id = operation.OperationId;
        if (FieldLimits.Find(operation) is { } violation)
            return Refuse(id, new ObjectError(ObjectErrorReason.Invalid, violation.ToString()) { Field = violation.Field });
        if (ConnectOperations.ToRead(operation) is { } read)
            return new ReadyOperation(id, null, read, null);
        try
        {
            if (ConnectOperations.ToRequest(operation, session.Id) is not { } known)
            {
                return Refuse(id, new ObjectError(
                    ObjectErrorReason.Invalid, $"operation {id} holds no request that this coordinator knows"));
            }

            known.Command.Caller = stream;
            known.Command.Client = stream.Client;
            known.Command.Tag = id;
            // Zero is not an id: such an operation cannot be resumed.
            known.Command.OperationId = id == 0 ? null : id;
            if (known.SessionId != session.Id)
                stream.NoteSession(id, known.SessionId);
            return new ReadyOperation(id, known, null, null);
        }
        catch (RequestValidationException refused)
        {
            return Refuse(id, refused.Error);
        }
    }

    private static ReadyOperation Refuse(ulong id, ObjectError error) => new(id, null, null, error);
}
