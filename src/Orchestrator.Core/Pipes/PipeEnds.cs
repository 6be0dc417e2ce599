using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Pipes;

/// <summary>The pipes: creation, attachment and closing of pipes and their ends.</summary>
internal sealed class PipeEnds(IPrimitiveContext context, PipeOptions options)
{
    private const string BoundsOfDirect = "a direct pipe has the bounds of its sockets";

    private readonly ObjectMap<PipeState> _pipes = new(ObjectKind.Pipe, context);

    /// <summary>The pipe's current state; null if no pipe has this name.</summary>
    public PipeInfo? Find(string name) => _pipes.Find(name) is { } pipe ? Describe(pipe) : null;

    /// <summary>Pipes in the order of their names.</summary>
    /// <param name="after">The name after which to begin; empty for the first page.</param>
    /// <param name="maximum">The most to return.</param>
    public IReadOnlyList<PipeInfo> List(string after, int maximum) =>
        [.. _pipes.After(after, maximum).Select(Describe)];

    public void Create(CreatePipe command)
    {
        var spec = command.Spec.Direct ? command.Spec : command.Spec with
        {
            MaxMessages = command.Spec.MaxMessages == 0 ? options.DefaultMaxMessages : command.Spec.MaxMessages,
            MaxBytes = command.Spec.MaxBytes == 0 ? options.DefaultMaxBytes : command.Spec.MaxBytes,
        };
        var found = _pipes.Find(spec.Name);
        var wrong = ValidateSpec(spec) ?? (found is null ? _pipes.ValidateNew(spec.Name) : null);
        if (wrong is null && found is not null && found.Spec != spec)
        {
            wrong = new ObjectError(
                ObjectErrorReason.KindMismatch, $"{found} exists with different settings: {found.Spec.DifferencesFrom(spec)}")
            {
                Field = "spec",
            };
        }

        if (wrong is not null)
        {
            context.Complete(command, wrong);
            return;
        }

        if (found is null)
            _pipes.Add(found = new PipeState(spec, context.NextOrder(), new ContentTally(context.Contents, context.Quota.Client)));
        context.Complete(command, new CreatePipeOutcome(Describe(found)));
    }

    public void Attach(AttachPipeEnd command)
    {
        var wrong = Find(command, command.Pipe, command.End, out var pipe, out var side);
        if (wrong is null && command.Session is null)
            wrong = ObjectError.Invalid("session_id", "session_id must name the session to attach");
        if (wrong is null && side!.Owner is { IsAttached: true })
            wrong = NotOwner($"end {command.End} of {pipe} is attached by {command.Session} already, and has one attachment at a time");
        if (wrong is not null)
        {
            context.Complete(command, wrong);
            return;
        }

        Own(command, pipe!, side!);
        side!.Owner!.IsAttached = true;
        context.Complete(command, new AttachPipeEndOutcome(Describe(pipe!)));
    }

    public void UndoAttach(AttachPipeEnd command)
    {
        if (_pipes.Find(command.Pipe) is { } pipe && pipe[command.End] is { Owner: { } owner } side && owner.Session == command.Session)
            Disown(side);
    }

    public void Detach(DetachPipeEnd command)
    {
        var wrong = Find(command, command.Pipe, command.End, out var pipe, out var side);
        if (wrong is null && (side!.Owner is null || command.Session is null))
        {
            wrong = NotOwner(
                $"end {command.End} of {pipe} is not attached by {command.Session?.ToString() ?? "a request without session_id"}");
        }

        if (wrong is not null)
        {
            context.Complete(command, wrong);
            return;
        }

        context.Complete(command, Done.Instance);
        Disown(side!);
    }

    public void Close(ClosePipeEnd command)
    {
        var wrong = Find(command, command.Pipe, command.End, out var pipe, out var side);
        var isClosed = pipe is not null && side is { IsClosed: true };
        // A caller without a session may close any end: there must be a way to end a pipe whose users have disappeared.
        if (wrong is not null && !isClosed && !(command.Session is null && side is not null))
        {
            context.Complete(command, wrong);
            return;
        }

        context.Complete(command, Done.Instance);
        if (!isClosed)
            CloseEnd(pipe!, side!);
    }

    /// <summary>
    /// Closes the end, on its owner's request or death: its waiters get an error, and those at the other end get the result that
    /// this means there.
    /// </summary>
    public void CloseEnd(PipeState pipe, PipeSide side)
    {
        if (side.Owner is not null)
            Disown(side);
        side.IsClosed = true;
        side.Buffer.Clear();
        var closed = Closed(pipe, side);
        while (side.Senders.First is { } sender)
            context.Resume(sender, PipeState.Sent(sender) is > 0 and var sent ? new SendOutcome(PipeStatus.BrokenPipe, sent) : closed);
        while (side.Receivers.First is { } receiver)
            context.Resume(receiver, closed);
        var peer = pipe.Opposite(side);
        while (peer.Senders.First is { } sender)
            context.Resume(sender, new SendOutcome(PipeStatus.BrokenPipe, PipeState.Sent(sender)));
        // Receives wait only because no message is under way.
        while (peer.Receivers.First is { } receiver)
            context.Resume(receiver, ReceiveOutcome.EndOfFile);
        if (pipe.IsOver)
            _pipes.Drop(pipe);
    }

    /// <summary>
    /// The end that a command names, or why it cannot be used: it does not exist, is closed, or belongs to another session.
    /// </summary>
    public ObjectError? Find(ObjectCommand command, string name, PipeEnd end, out PipeState? pipe, out PipeSide? side)
    {
        side = null;
        pipe = _pipes.Find(name);
        if (pipe is null)
        {
            return ObjectQuota.ValidateName(ObjectKind.Pipe, name)
                ?? new ObjectError(ObjectErrorReason.NotFound, $"there is no pipe \"{name}\"; create it with CreatePipe")
                {
                    Field = "pipe",
                };
        }

        if (end is not (PipeEnd.A or PipeEnd.B))
            return ObjectError.Invalid("end", $"the end {(int)end} must be A (1) or B (2)");
        side = pipe[end];
        if (side.IsClosed)
            return Closed(pipe, side);
        if (side.Owner is not { } owner || owner.Session == command.Session)
            return null;
        return NotOwner(
            $"end {end} of {pipe} belongs to {owner.Session}, not to {command.Session?.ToString() ?? "a request without session_id"}");
    }

    /// <summary>An end without an owner belongs to the first session that uses it: that session's death then closes the end.</summary>
    public void Own(ObjectCommand command, PipeState pipe, PipeSide side)
    {
        if (command.Session is not { } session || side.Owner is not null)
            return;
        side.Owner = new PipeHold(session, pipe, side, context.Now);
        context.AddHold(side.Owner);
    }

    private void Disown(PipeSide side)
    {
        var owner = side.Owner!;
        side.Owner = null;
        context.RemoveHold(owner);
    }

    private static ObjectError Closed(PipeState pipe, PipeSide side) =>
        new(ObjectErrorReason.BrokenPipe, $"end {side.End} of {pipe} is closed") { Field = "end" };

    private static ObjectError NotOwner(string message) => new(ObjectErrorReason.NotOwner, message) { Field = "end" };

    private ObjectError? ValidateSpec(PipeSpec spec)
    {
        if (ObjectQuota.ValidateName(ObjectKind.Pipe, spec.Name) is { } name)
            return name with { Field = "spec.name" };
        if (spec.Direct && (spec.MaxMessages != 0 || spec.MaxBytes != 0))
        {
            return spec.MaxMessages != 0
                ? ObjectError.Invalid("spec.max_messages", $"max_messages {spec.MaxMessages} must be 0: {BoundsOfDirect}")
                : ObjectError.Invalid("spec.max_bytes", $"max_bytes {spec.MaxBytes} must be 0: {BoundsOfDirect}");
        }

        if (spec.MaxMessages < 0 || spec.MaxMessages > options.MaxMessages)
        {
            return ObjectError.Invalid(
                "spec.max_messages",
                $"max_messages {spec.MaxMessages} must be 1 to {options.MaxMessages}, or 0 for {options.DefaultMaxMessages}");
        }

        return spec.MaxBytes < 0 || spec.MaxBytes > options.MaxBytes
            ? ObjectError.Invalid(
                "spec.max_bytes", $"max_bytes {spec.MaxBytes} must be 1 to {options.MaxBytes}, or 0 for {options.DefaultMaxBytes}")
            : null;
    }

    private static PipeInfo Describe(PipeState pipe) => new(pipe.Spec, Describe(pipe.A), Describe(pipe.B))
    {
        Owner = pipe.Owner,
        Number = pipe.Number,
    };

    private static PipeEndInfo Describe(PipeSide side) => new(side.Buffer.Count, side.Buffer.Bytes, side.Owner is not null, side.IsClosed);
}
