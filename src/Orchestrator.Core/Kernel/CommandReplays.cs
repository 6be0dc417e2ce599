namespace Orchestrator.Core.Kernel;

/// <summary>
/// Commands that carry an id: a repeated command is answered with the first outcome. While the first one waits, an operation's outcome goes
/// to the newer stream alone; a request's outcome goes to every call.
/// </summary>
internal sealed class CommandReplays(KernelOptions options, EngineStep step)
{
    private readonly Dictionary<string, ReplayTable<string>> _requestsByCredential = [];
    private List<RequestAnswered>? _answered;

    /// <summary>The size of all kept outcomes.</summary>
    public ReplayBudget Budget { get; } = new();

    /// <summary>Answers a command whose id is known, or lets it take over the wait of the first; false if it is new.</summary>
    public bool TryAnswer(ObjectCommand command)
    {
        if (!command.HasId)
            return false;
        if (command.OperationId is { } id && command.Session?.Operations is { } operations
            && operations.TryFind(id, step.Now, out var replay))
        {
            Repeat(command, replay, $"operation {id}");
            return true;
        }

        if (command.RequestId.Length == 0 || RequestsOf(command) is not { } requests
            || !requests.TryFind(command.RequestId, step.Now, out replay))
        {
            return false;
        }

        if (replay.State is Wait wait && command.GetType() == replay.Command)
        {
            // The order in which the two calls were sent is unknown, so both get the outcome; cancelling one does not end the other.
            (wait.Others ??= []).Add((command.Caller, command.Tag));
            step.Begun = wait;
            return true;
        }

        requests.AddDelivery(command.RequestId);
        Repeat(command, replay, $"request \"{ObjectError.Shorten(command.RequestId)}\"");
        return true;
    }

    /// <summary>The command waits.</summary>
    public void Begin(Wait wait)
    {
        var command = wait.Command;
        if (command.OperationId is { } id && command.Session is { } session)
            (session.Operations ??= new ReplayTable<ulong>(options, Budget)).Begin(id, wait);
        if (command.RequestId.Length > 0)
            OpenRequestsOf(command).Begin(command.RequestId, wait);
    }

    /// <summary>The command has its outcome.</summary>
    public void Remember(ObjectCommand command, ObjectOutcome outcome)
    {
        if (!command.HasId || command.Session is { HasEnded: true })
            return;
        // Nothing was done, and a repeated command may find room.
        if (outcome is ObjectError { Reason: ObjectErrorReason.LimitExceeded })
        {
            Forget(command);
            return;
        }

        if (command.OperationId is { } id && command.Session is { } session)
        {
            (session.Operations ??= new ReplayTable<ulong>(options, Budget)).Complete(
                id, command.GetType(), outcome, command.IsKeptBriefly, step.Now);
        }

        if (command.RequestId.Length > 0)
            OpenRequestsOf(command).Complete(command.RequestId, command.GetType(), outcome, command.IsKeptBriefly, step.Now);
        if (command is { RequestId.Length: > 0, Session: null } && outcome is not ObjectError)
            (_answered ??= []).Add(new RequestAnswered(JournalKey(command), command.GetType(), outcome, step.Now));
    }

    /// <summary>
    /// Records a wait's progress: if the process ends now and the command is repeated, the completed part must not be done twice.
    /// </summary>
    public void RememberProgress(Wait wait)
    {
        if (wait.Command is { RequestId.Length: > 0, Session: null } command && wait.Object.PartialOutcome(wait) is { } partial)
            (_answered ??= []).Add(new RequestAnswered(JournalKey(command), command.GetType(), partial, step.Now));
    }

    /// <summary>A command will not get its kept or awaited outcome: if it is repeated, it is executed again.</summary>
    public void Forget(ObjectCommand command)
    {
        if (command.OperationId is { } id)
            command.Session?.Operations?.Remove(id);
        if (command.RequestId.Length > 0)
            RequestsOf(command)?.Remove(command.RequestId);
    }

    /// <summary>Delivers the outcome of a wait to all callers that sent its request.</summary>
    public void DeliverToOthers(Wait wait, ObjectOutcome outcome, ObjectCommand? granted)
    {
        foreach (var (caller, tag) in wait.Others ?? [])
        {
            step.Effects.Outcomes.Add(new ObjectDelivery(caller, tag, outcome, granted));
            RequestsOf(wait.Command)?.AddDelivery(wait.Command.RequestId);
        }
    }

    /// <summary>Whether the undelivered outcome of this command has reached no other caller that sent the same request.</summary>
    public bool IsLastDelivery(ObjectCommand command) =>
        command.RequestId.Length == 0 || RequestsOf(command)?.RemoveDelivery(command.RequestId) != false;

    /// <summary>At the end of a step: records its answers to requests that callers may repeat, if it changed durable objects.</summary>
    public void RecordAnswers()
    {
        if (_answered is not { Count: > 0 } answered)
            return;
        if (step.Effects.Changes.Count > 0)
            step.Effects.Changes.AddRange(answered);
        answered.Clear();
    }

    /// <summary>Restores the answer to a request from before a restart.</summary>
    /// <param name="request">The answer.</param>
    /// <param name="briefly">Whether it is kept briefly only, see <see cref="ObjectCommand.IsKeptBriefly"/>.</param>
    public void Restore(RequestAnswered request, bool briefly)
    {
        var split = request.RequestId.IndexOf('\n', StringComparison.Ordinal);
        var requests = OpenRequestsOf(split < 0 ? "" : request.RequestId[..split]);
        requests.Complete(request.RequestId[(split + 1)..], request.Command, request.Outcome, briefly, request.At);
    }

    /// <summary>
    /// A request that is repeated after a restart has no session; the first line break separates its credential from the id,
    /// which may contain anything.
    /// </summary>
    private static string JournalKey(ObjectCommand command)
    {
        var credential = command.Client?.Credential ?? "";
        return credential.Length == 0 && !command.RequestId.Contains('\n', StringComparison.Ordinal)
            ? command.RequestId
            : $"{credential}\n{command.RequestId}";
    }

    private void Repeat(ObjectCommand command, Replay replay, string what)
    {
        if (command.GetType() != replay.Command)
        {
            Deliver(ObjectError.Invalid(
                "", $"{what} was a {replay.Command.Name} and is now a {command.GetType().Name}; give each its own id"));
        }
        else if (replay.State is Wait wait)
        {
            var superseded = new ObjectError(ObjectErrorReason.Cancelled, $"{what} was sent again; the later call gets its outcome");
            if (wait.Caller is INumberedCaller holder && command.Caller is INumberedCaller sender && sender.Number < holder.Number)
            {
                // The command of the older stream is superseded by its repetition on the newer stream.
                Deliver(superseded);
                return;
            }

            // A caller that repeats the command has lost the first answer, as after a broken stream: the place in the queue and the
            // remaining time stay.
            step.Effects.Outcomes.Add(new ObjectDelivery(wait.Caller, wait.Tag, superseded));
            wait.Caller = command.Caller;
            wait.Tag = command.Tag;
            step.Begun = wait;
        }
        else
        {
            var granted = replay.State is ObjectError || command.RequestId.Length == 0 ? null : command;
            step.Effects.Outcomes.Add(new ObjectDelivery(command.Caller, command.Tag, (ObjectOutcome)replay.State, granted));
        }

        void Deliver(ObjectOutcome outcome) => step.Effects.Outcomes.Add(new ObjectDelivery(command.Caller, command.Tag, outcome));
    }

    private ReplayTable<string>? RequestsOf(ObjectCommand command) =>
        command.Session is { } session ? session.Requests : _requestsByCredential.GetValueOrDefault(command.Client?.Credential ?? "");

    private ReplayTable<string> OpenRequestsOf(ObjectCommand command) => command.Session is { } session
        ? session.Requests ??= new ReplayTable<string>(options, Budget)
        : OpenRequestsOf(command.Client?.Credential ?? "");

    private ReplayTable<string> OpenRequestsOf(string credential)
    {
        if (_requestsByCredential.TryGetValue(credential, out var found))
            return found;
        // A worker's credential ends with the worker; its table would stay.
        foreach (var (other, table) in _requestsByCredential)
        {
            table.Expire(step.Now);
            if (table.IsEmpty)
                _requestsByCredential.Remove(other);
        }

        return _requestsByCredential[credential] = new ReplayTable<string>(options, Budget);
    }
}
