using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Pipes;

/// <summary>
/// Pipes: sends, receives, and what happens to their waits; <see cref="PipeEnds"/> knows which session may use which end.
/// </summary>
internal sealed class PipeMachine(IPrimitiveContext context, PipeOptions options) : PrimitiveMachine(context)
{
    private readonly PipeEnds _ends = new(context, options);

    /// <summary>The pipe's current state; null if no pipe has this name.</summary>
    public PipeInfo? Find(string name) => _ends.Find(name);

    /// <summary>Pipes in the order of their names, see <see cref="PipeEnds.List"/>.</summary>
    public IReadOnlyList<PipeInfo> List(string after, int maximum) => _ends.List(after, maximum);

    public override void Apply(ObjectCommand command)
    {
        switch (command)
        {
            case SendMessages send:
                Send(send);
                break;
            case ReceiveMessages receive:
                Receive(receive);
                break;
            case AwaitPeerClosed awaiting:
                AwaitPeerClosed(awaiting);
                break;
            case CreatePipe create:
                _ends.Create(create);
                break;
            case AttachPipeEnd attach:
                _ends.Attach(attach);
                break;
            case DetachPipeEnd detach:
                _ends.Detach(detach);
                break;
            case ClosePipeEnd close:
                _ends.Close(close);
                break;
            default:
                throw NotMine(command);
        }
    }

    public override void Undo(ObjectCommand command, ObjectOutcome outcome)
    {
        if (command is AttachPipeEnd attach)
            _ends.UndoAttach(attach);
        else if (outcome is ReceiveOutcome received)
            UndoReceive(received);
    }

    public override void OnTimeout(Wait wait)
    {
        Context.Resume(
            wait, wait.Command is SendMessages ? new SendOutcome(PipeStatus.Timeout, PipeState.Sent(wait)) : wait.Command.TimedOut);
        OnWaiterLeft(wait);
    }

    public override void OnWaiterLeft(Wait wait) => Serve((PipeState)wait.Object);

    public override void OnHolderEnded(Hold hold) => _ends.CloseEnd((PipeState)hold.Object, ((PipeHold)hold).Side);

    private void Send(SendMessages command)
    {
        var wrong = _ends.Find(command, command.Pipe, command.End, out var pipe, out var side)
            ?? command.ValidateTimeout()
            ?? ValidateSend(command, pipe!)
            ?? Context.ValidateShare(pipe!.Client, command.ContentBytes);
        if (wrong is not null)
        {
            Context.Complete(command, wrong);
            return;
        }

        _ends.Own(command, pipe!, side!);
        var peer = pipe!.Opposite(side!);
        if (peer.IsClosed)
        {
            Context.Complete(command, new SendOutcome(PipeStatus.BrokenPipe, 0));
            return;
        }

        if (side!.Senders.Count == 0 && pipe.Fits(peer, command.Messages))
        {
            pipe.Send(peer, command.Messages, 0);
            Context.Complete(command, new SendOutcome(PipeStatus.Ok, command.Messages.Count));
            Serve(pipe);
        }
        else if (command.Timeout == TimeSpan.Zero)
        {
            SendWhatFits(command, pipe, side, peer);
        }
        else if (Context.Suspend(command, command.Session, pipe, side.Senders) is not null)
        {
            var before = Context.OutcomeCount;
            Serve(pipe);
            Context.DeliverFirst(command, before);
        }
    }

    private void Receive(ReceiveMessages command)
    {
        var wrong = _ends.Find(command, command.Pipe, command.End, out var pipe, out var side)
            ?? command.ValidateTimeout()
            ?? ValidateReceive(command, pipe!);
        if (wrong is not null)
        {
            Context.Complete(command, wrong);
            return;
        }

        _ends.Own(command, pipe!, side!);
        if (side!.Buffer.Count > 0)
        {
            Context.Complete(command, Take(pipe!, side, command));
            Serve(pipe!);
        }
        else if (pipe!.Opposite(side).IsClosed)
        {
            Context.Complete(command, ReceiveOutcome.EndOfFile);
        }
        else
        {
            Context.Suspend(command, command.Session, pipe, side.Receivers);
        }
    }

    private void AwaitPeerClosed(AwaitPeerClosed command)
    {
        var wrong = _ends.Find(command, command.Pipe, command.End, out var pipe, out var side) ?? command.ValidateTimeout();
        if (wrong is null && !pipe!.Spec.Direct)
            wrong = ObjectError.Invalid("pipe", $"{pipe} is not direct: receive tells the end of its messages");
        if (wrong is not null)
            Context.Complete(command, wrong);
        else if (pipe!.Opposite(side!).IsClosed)
            Context.Complete(command, ReceiveOutcome.EndOfFile);
        else
            Context.Suspend(command, command.Session, pipe, side!.Receivers);
    }

    /// <summary>Restores the state before the receive, unless the end is closed by now.</summary>
    private void UndoReceive(ReceiveOutcome outcome)
    {
        if (outcome.Source is not var (pipe, side) || side.IsClosed || outcome.IsGivenBack)
            return;
        outcome.IsGivenBack = true;
        for (var i = 0; i < outcome.Messages.Count; i++)
        {
            side.Buffer.Return(
                new QueueEntry { Body = outcome.Messages[i].Body, Bytes = outcome.Messages[i].Bytes, Sequence = outcome.Sequences[i] });
        }

        Serve(pipe);
    }

    /// <summary>One attempt: sends the messages that fit, also into the room that waiting receives make at once.</summary>
    private void SendWhatFits(SendMessages command, PipeState pipe, PipeSide side, PipeSide peer)
    {
        var before = Context.OutcomeCount;
        var sent = 0;
        while (side.Senders.Count == 0 && pipe.Send(peer, command.Messages, sent) is > 0 and var more)
        {
            sent += more;
            Serve(pipe);
        }

        Context.Complete(command, new SendOutcome(sent == command.Messages.Count ? PipeStatus.Ok : PipeStatus.Timeout, sent));
        Context.DeliverFirst(command, before);
    }

    /// <summary>Serves the waiters in both directions.</summary>
    private void Serve(PipeState pipe)
    {
        ServeDirection(pipe, pipe.A, pipe.B);
        ServeDirection(pipe, pipe.B, pipe.A);
    }

    /// <summary>Receives and sends in turn, since each makes room for the other.</summary>
    private void ServeDirection(PipeState pipe, PipeSide from, PipeSide to)
    {
        do
        {
            while (to.Buffer.Count > 0 && to.Receivers.First is { } receiver)
                Context.Resume(receiver, Take(pipe, to, (ReceiveMessages)receiver.Command));
        }
        while (ServeSenders(pipe, from, to) && to.Receivers.Count > 0);
    }

    private bool ServeSenders(PipeState pipe, PipeSide from, PipeSide to)
    {
        var moved = false;
        while (from.Senders.First is { } sender)
        {
            var messages = ((SendMessages)sender.Command).Messages;
            var sent = PipeState.Sent(sender);
            if (pipe.Send(to, messages, sent) is > 0 and var more)
            {
                moved = true;
                sent += more;
                sender.Progress = sent;
            }

            if (sent < messages.Count)
                break;
            Context.Resume(sender, new SendOutcome(PipeStatus.Ok, sent));
        }

        return moved;
    }

    private static ReceiveOutcome Take(PipeState pipe, PipeSide side, ReceiveMessages command)
    {
        if (command.Peek)
            return new ReceiveOutcome(PipeStatus.Ok, [], side.Buffer.Count);
        var most = Math.Min(Math.Max(1, command.MaxMessages), side.Buffer.Count);
        var messages = new List<Content>(most);
        var sequences = new List<long>(most);
        var bytes = 0L;
        while (messages.Count < most && (messages.Count == 0 || bytes + side.Buffer.NextBytes <= command.MaxBytes))
        {
            var entry = side.Buffer.Take();
            bytes += entry.Bytes;
            messages.Add(new Content(entry.Body, entry.Bytes));
            sequences.Add(entry.Sequence);
        }

        return new ReceiveOutcome(PipeStatus.Ok, messages, side.Buffer.Count) { Source = (pipe, side), Sequences = sequences };
    }

    private static ObjectError? ValidateSend(SendMessages command, PipeState pipe)
    {
        if (ValidateIndirect(pipe) is { } wrong)
            return wrong;
        if (!pipe.Spec.Duplex && command.End == PipeEnd.A)
            return ObjectError.Invalid("end", $"{pipe} has one direction: end A receives and cannot send; send from end B");
        if (command.Messages.Count == 0)
            return ObjectError.Invalid("messages", "messages must hold at least one message");
        for (var i = 0; i < command.Messages.Count; i++)
        {
            var bytes = command.Messages[i].Bytes;
            if (bytes > pipe.Spec.MaxBytes)
            {
                return ObjectError.Invalid(
                    $"messages[{i}]",
                    $"message {i} of {bytes} bytes can never fit in {pipe}, which keeps at most {pipe.Spec.MaxBytes} bytes");
            }
        }

        return null;
    }

    private static ObjectError? ValidateIndirect(PipeState pipe) => pipe.Spec.Direct
        ? ObjectError.Invalid(
            "pipe", $"{pipe} is direct: its messages pass between the sockets that AttachPipe over the local transport hands to its ends")
        : null;

    private static ObjectError? ValidateReceive(ReceiveMessages command, PipeState pipe)
    {
        if (ValidateIndirect(pipe) is { } wrong)
            return wrong;
        if (!pipe.Spec.Duplex && command.End == PipeEnd.B)
            return ObjectError.Invalid("end", $"{pipe} has one direction: end B sends and cannot receive; receive at end A");
        return command.MaxMessages < 0
            ? ObjectError.Invalid("max_messages", $"max_messages {command.MaxMessages} must be at least 1, or 0 for 1")
            : null;
    }
}
