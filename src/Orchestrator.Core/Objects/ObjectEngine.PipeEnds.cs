using Orchestrator.Core.Pipes;
using Orchestrator.Core.Queues;

namespace Orchestrator.Core.Objects;

/// <summary>Pipes: creation, attachment and closing of pipes and their ends.</summary>
public sealed partial class ObjectEngine
{
    /// <summary>The pipe's current state; null if no pipe has this name.</summary>
    public PipeInfo? FindPipe(string name) => _pipes.Find(name) is { } pipe ? Describe(pipe) : null;

    /// <summary>Pipes in the order of their names.</summary>
    /// <param name="after">The name after which to begin; empty for the first page.</param>
    /// <param name="maximum">The most to return.</param>
    public IReadOnlyList<PipeInfo> ListPipes(string after, int maximum) =>
        [.. NamePager.After(_pipes.All, pipe => pipe.Name, after, maximum).Select(Describe)];

    internal void OnCreatePipe(CreatePipe command)
    {
        var options = _options.Pipes;
        var spec = command.Spec with
        {
            MaxMessages = command.Spec.MaxMessages == 0 ? options.DefaultMaxMessages : command.Spec.MaxMessages,
            MaxBytes = command.Spec.MaxBytes == 0 ? options.DefaultMaxBytes : command.Spec.MaxBytes,
        };
        var found = _pipes.Find(spec.Name);
        var wrong = ValidateSpec(spec) ?? (found is null ? _pipes.ValidateNew(spec.Name) : null);
        if (wrong is null && found is not null && found.Spec != spec)
        {
            wrong = new ObjectError(ObjectErrorReason.KindMismatch, $"{found} exists with different settings: {found.Spec.DifferencesFrom(spec)}")
            {
                Field = "spec",
            };
        }

        if (wrong is not null)
        {
            Complete(command, wrong);
            return;
        }

        if (found is null)
            _pipes.Add(found = new PipeState(spec, new ContentTally(_kernel.Contents, _kernel.Quota.Client)));
        Complete(command, new CreatePipeOutcome(Describe(found)));
    }

    internal void OnAttachPipeEnd(AttachPipeEnd command)
    {
        var wrong = FindEnd(command, command.Pipe, command.End, out var pipe, out var side);
        if (wrong is null && command.Session is null)
            wrong = ObjectError.Invalid("session_id", "session_id must name the session to attach");
        if (wrong is null && side!.Owner is { IsAttached: true })
            wrong = NotOwner($"end {command.End} of {pipe} is attached by {command.Session} already, and has one attachment at a time");
        if (wrong is not null)
        {
            Complete(command, wrong);
            return;
        }

        Own(command, pipe!, side!);
        side!.Owner!.IsAttached = true;
        Complete(command, Done.Instance);
    }

    internal void UndoAttachPipeEnd(AttachPipeEnd command)
    {
        if (_pipes.Find(command.Pipe) is { } pipe && pipe[command.End] is { Owner: { } owner } side && owner.Session == command.Session)
            Disown(side);
    }

    internal void OnDetachPipeEnd(DetachPipeEnd command)
    {
        var wrong = FindEnd(command, command.Pipe, command.End, out var pipe, out var side);
        if (wrong is null && (side!.Owner is null || command.Session is null))
            wrong = NotOwner($"end {command.End} of {pipe} is not attached by {command.Session?.ToString() ?? "a request without session_id"}");
        if (wrong is not null)
        {
            Complete(command, wrong);
            return;
        }

        Complete(command, Done.Instance);
        Disown(side!);
    }

    internal void OnClosePipeEnd(ClosePipeEnd command)
    {
        var wrong = FindEnd(command, command.Pipe, command.End, out var pipe, out var side);
        var isClosed = pipe is not null && side is { IsClosed: true };
        // A caller without a session may close any end: there must be a way to end a pipe whose users have disappeared.
        if (wrong is not null && !isClosed && !(command.Session is null && side is not null))
        {
            Complete(command, wrong);
            return;
        }

        Complete(command, Done.Instance);
        if (!isClosed)
            CloseEnd(pipe!, side!);
    }

    /// <summary>
    /// Closes the end, on its owner's request or death: its waiters get an error, and those at the other end get the result that
    /// this means there.
    /// </summary>
    internal void CloseEnd(PipeState pipe, PipeSide side)
    {
        if (side.Owner is not null)
            Disown(side);
        side.IsClosed = true;
        side.Buffer.Clear();
        var closed = Closed(pipe, side);
        while (side.Senders.First is { } sender)
            Resume(sender, PipeState.Sent(sender) is > 0 and var sent ? new SendOutcome(PipeStatus.BrokenPipe, sent) : closed);
        while (side.Receivers.First is { } receiver)
            Resume(receiver, closed);
        var peer = pipe.Opposite(side);
        while (peer.Senders.First is { } sender)
            Resume(sender, new SendOutcome(PipeStatus.BrokenPipe, PipeState.Sent(sender)));
        // Receives wait only because no message is under way.
        while (peer.Receivers.First is { } receiver)
            Resume(receiver, ReceiveOutcome.EndOfFile);
        if (pipe.IsOver)
            _pipes.Drop(pipe);
    }

    private void Disown(PipeSide side)
    {
        var owner = side.Owner!;
        side.Owner = null;
        RemoveHold(owner);
    }

    /// <summary>The end that a command names, or why it cannot be used: it does not exist, is closed, or belongs to another session.</summary>
    private ObjectError? FindEnd(ObjectCommand command, string name, PipeEnd end, out PipeState? pipe, out PipeSide? side)
    {
        side = null;
        pipe = _pipes.Find(name);
        if (pipe is null)
        {
            return ObjectQuota.ValidateName(ObjectKind.Pipe, name)
                ?? new ObjectError(ObjectErrorReason.NotFound, $"there is no pipe \"{name}\"; create it with CreatePipe") { Field = "pipe" };
        }

        if (end is not (PipeEnd.A or PipeEnd.B))
            return ObjectError.Invalid("end", $"the end {(int)end} must be A (1) or B (2)");
        side = pipe[end];
        if (side.IsClosed)
            return Closed(pipe, side);
        if (side.Owner is not { } owner || owner.Session == command.Session)
            return null;
        return NotOwner($"end {end} of {pipe} belongs to {owner.Session}, not to {command.Session?.ToString() ?? "a request without session_id"}");
    }

    private static ObjectError Closed(PipeState pipe, PipeSide side) =>
        new(ObjectErrorReason.BrokenPipe, $"end {side.End} of {pipe} is closed") { Field = "end" };

    private static ObjectError NotOwner(string message) => new(ObjectErrorReason.NotOwner, message) { Field = "end" };

    private ObjectError? ValidateSpec(PipeSpec spec)
    {
        if (ObjectQuota.ValidateName(ObjectKind.Pipe, spec.Name) is { } name)
            return name with { Field = "spec.name" };
        var limits = _options.Pipes;
        if (spec.MaxMessages < 0 || spec.MaxMessages > limits.MaxMessages)
            return ObjectError.Invalid("spec.max_messages", $"max_messages {spec.MaxMessages} must be 1 to {limits.MaxMessages}, or 0 for {limits.DefaultMaxMessages}");
        return spec.MaxBytes < 0 || spec.MaxBytes > limits.MaxBytes
            ? ObjectError.Invalid("spec.max_bytes", $"max_bytes {spec.MaxBytes} must be 1 to {limits.MaxBytes}, or 0 for {limits.DefaultMaxBytes}")
            : null;
    }

    private static PipeInfo Describe(PipeState pipe) => new(pipe.Spec, Describe(pipe.A), Describe(pipe.B)) { Owner = OwnerOf(pipe) };

    private static PipeEndInfo Describe(PipeSide side) => new(side.Buffer.Count, side.Buffer.Bytes, side.Owner is not null, side.IsClosed);
}
