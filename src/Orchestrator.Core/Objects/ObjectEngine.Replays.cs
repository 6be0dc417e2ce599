using Orchestrator.Core.Journal;
using Orchestrator.Core.Sessions;
using Orchestrator.Core.Waits;

namespace Orchestrator.Core.Objects;

/// <summary>Commands that carry an id: sent again, they are answered with the first one's outcome.</summary>
public sealed partial class ObjectEngine
{
    private readonly ReplayBudget _replayBudget = new();
    private ReplayTable<string>? _requestsOfNobody;

    /// <summary>A command will not have the outcome that was kept, or that it waits for: if it is sent again, it is done anew.</summary>
    internal void Forget(ObjectCommand command)
    {
        if (command.OperationId is { } id)
            command.Session?.Operations?.Remove(id);
        if (command.RequestId.Length > 0)
            RequestsOf(command.Session)?.Remove(command.RequestId);
    }

    private ReplayTable<string>? RequestsOf(Session? session) => session is null ? _requestsOfNobody : session.Requests;

    /// <summary>Answers a command whose id is known, or lets it take over the wait of the first.</summary>
    private bool WasSentBefore(ObjectCommand command)
    {
        if (command.OperationId is { } id && command.Session?.Operations is { } operations && operations.TryFind(id, _now, out var replay))
        {
            Repeat(command, replay, $"operation {id}");
            return true;
        }

        if (command.RequestId.Length == 0 || RequestsOf(command.Session) is not { } requests || !requests.TryFind(command.RequestId, _now, out replay))
            return false;
        Repeat(command, replay, $"request \"{ObjectError.Shorten(command.RequestId)}\"");
        return true;
    }

    private void Repeat(ObjectCommand command, Replay replay, string what)
    {
        if (command.GetType() != replay.Command)
        {
            Deliver(ObjectError.Invalid("", $"{what} was a {replay.Command.Name} and is now a {command.GetType().Name}; give each its own id"));
        }
        else if (replay.State is Wait wait)
        {
            var superseded = new ObjectError(ObjectErrorReason.Cancelled, $"{what} was sent again; the later call gets its outcome");
            if (wait.Caller is INumberedCaller holder && command.Caller is INumberedCaller sender && sender.Number < holder.Number)
            {
                // What was sent over the older stream was overtaken by what the newer one sent again.
                Deliver(superseded);
                return;
            }

            // Whoever sends it again has lost the first answer, as after a broken stream: the place in the line and the time left stay.
            _effects.Outcomes.Add(new ObjectDelivery(wait.Caller, wait.Tag, superseded));
            wait.Caller = command.Caller;
            wait.Tag = command.Tag;
            _begun = wait;
        }
        else
        {
            Deliver((ObjectOutcome)replay.State);
        }

        void Deliver(ObjectOutcome outcome) => _effects.Outcomes.Add(new ObjectDelivery(command.Caller, command.Tag, outcome));
    }

    private void Begin(Wait wait)
    {
        var command = wait.Command;
        if (command.OperationId is { } id && command.Session is { } session)
            (session.Operations ??= new ReplayTable<ulong>(_options, _replayBudget)).Begin(id, wait);
        if (command.RequestId.Length > 0)
            OpenRequestsOf(command.Session).Begin(command.RequestId, wait);
    }

    private void Remember(ObjectCommand command, ObjectOutcome outcome)
    {
        if (command.Session is { HasEnded: true })
            return;
        // Nothing was done, and when it is sent again there may be room.
        if (outcome is ObjectError { Reason: ObjectErrorReason.LimitExceeded })
        {
            Forget(command);
            return;
        }

        if (command.OperationId is { } id && command.Session is { } session)
            (session.Operations ??= new ReplayTable<ulong>(_options, _replayBudget)).Complete(id, command.GetType(), outcome, _now);
        if (command.RequestId.Length > 0)
            OpenRequestsOf(command.Session).Complete(command.RequestId, command.GetType(), outcome, _now);
        if (command is { RequestId.Length: > 0, Session: null } && outcome is not ObjectError)
            (_answered ??= []).Add(new RequestAnswered(command.RequestId, command.GetType(), outcome, _now));
    }

    /// <summary>What a wait has got so far is written down with it: if the process ends now and the command is sent again, that must not be done twice.</summary>
    private void RememberProgress(Wait wait)
    {
        if (wait.Command is { RequestId.Length: > 0, Session: null } command && wait.Object.PartialOutcome(wait) is { } partial)
            (_answered ??= []).Add(new RequestAnswered(command.RequestId, command.GetType(), partial, _now));
    }

    private ReplayTable<string> OpenRequestsOf(Session? session) => session is null
        ? _requestsOfNobody ??= new ReplayTable<string>(_options, _replayBudget)
        : session.Requests ??= new ReplayTable<string>(_options, _replayBudget);
}
