using Orchestrator.Core.Pipes;
using Orchestrator.Core.Queues;

namespace Orchestrator.Core.Objects;

/// <summary>Pipes: send and receive.</summary>
public sealed partial class ObjectEngine
{
    private readonly ObjectMap<PipeState> _pipes;

    internal void OnSendMessages(SendMessages command)
    {
        if ((FindEnd(command, command.Pipe, command.End, out var pipe, out var side) ?? command.ValidateTimeout() ?? ValidateSend(command, pipe!) ?? ValidateShare(pipe!.Client, command.ContentBytes)) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        Own(command, pipe!, side!);
        var peer = pipe!.Opposite(side!);
        if (peer.IsClosed)
        {
            Complete(command, new SendOutcome(PipeStatus.BrokenPipe, 0));
            return;
        }

        if (side!.Senders.Count == 0 && pipe.Fits(peer, command.Messages))
        {
            pipe.Send(peer, command.Messages, 0);
            Complete(command, new SendOutcome(PipeStatus.Ok, command.Messages.Count));
            ServePipe(pipe);
        }
        else if (command.Timeout == TimeSpan.Zero)
        {
            SendWhatFits(command, pipe, side, peer);
        }
        else if (Suspend(command, command.Session, pipe, side.Senders) is not null)
        {
            var before = _kernel.OutcomeCount;
            ServePipe(pipe);
            _kernel.DeliverFirst(command, before);
        }
    }

    internal void OnReceiveMessages(ReceiveMessages command)
    {
        if ((FindEnd(command, command.Pipe, command.End, out var pipe, out var side) ?? command.ValidateTimeout() ?? ValidateReceive(command, pipe!)) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        Own(command, pipe!, side!);
        if (side!.Buffer.Count > 0)
        {
            Complete(command, Receive(pipe!, side, command));
            ServePipe(pipe!);
        }
        else if (pipe!.Opposite(side).IsClosed)
        {
            Complete(command, ReceiveOutcome.EndOfFile);
        }
        else
        {
            Suspend(command, command.Session, pipe, side.Receivers);
        }
    }

    /// <summary>Restores the state before the receive, unless the end is closed by now.</summary>
    internal void UndoReceiveMessages(ReceiveOutcome outcome)
    {
        if (outcome.Source is not var (pipe, side) || side.IsClosed || outcome.IsGivenBack)
            return;
        outcome.IsGivenBack = true;
        for (var i = 0; i < outcome.Messages.Count; i++)
            side.Buffer.Return(new QueueEntry { Body = outcome.Messages[i].Body, Bytes = outcome.Messages[i].Bytes, Sequence = outcome.Sequences[i] });
        ServePipe(pipe);
    }

    /// <summary>One attempt: sends the messages that fit, also into the room that waiting receives make at once.</summary>
    private void SendWhatFits(SendMessages command, PipeState pipe, PipeSide side, PipeSide peer)
    {
        var before = _kernel.OutcomeCount;
        var sent = 0;
        while (side.Senders.Count == 0 && pipe.Send(peer, command.Messages, sent) is > 0 and var more)
        {
            sent += more;
            ServePipe(pipe);
        }

        Complete(command, new SendOutcome(sent == command.Messages.Count ? PipeStatus.Ok : PipeStatus.Timeout, sent));
        _kernel.DeliverFirst(command, before);
    }

    /// <summary>Serves the waiters in both directions.</summary>
    internal void ServePipe(PipeState pipe)
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
                Resume(receiver, Receive(pipe, to, (ReceiveMessages)receiver.Command));
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
            Resume(sender, new SendOutcome(PipeStatus.Ok, sent));
        }

        return moved;
    }

    private static ReceiveOutcome Receive(PipeState pipe, PipeSide side, ReceiveMessages command)
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

    /// <summary>An end without an owner belongs to the first session that uses it: that session's death then closes the end.</summary>
    private void Own(ObjectCommand command, PipeState pipe, PipeSide side)
    {
        if (command.Session is not { } session || side.Owner is not null)
            return;
        side.Owner = new PipeHold(session, pipe, side, Now);
        AddHold(side.Owner);
    }

    private static ObjectError? ValidateSend(SendMessages command, PipeState pipe)
    {
        if (!pipe.Spec.Duplex && command.End == PipeEnd.A)
            return ObjectError.Invalid("end", $"{pipe} has one direction: end A receives and cannot send; send from end B");
        if (command.Messages.Count == 0)
            return ObjectError.Invalid("messages", "messages must hold at least one message");
        for (var i = 0; i < command.Messages.Count; i++)
        {
            var bytes = command.Messages[i].Bytes;
            if (bytes > pipe.Spec.MaxBytes)
                return ObjectError.Invalid($"messages[{i}]", $"message {i} of {bytes} bytes can never fit in {pipe}, which keeps at most {pipe.Spec.MaxBytes} bytes");
        }

        return null;
    }

    private static ObjectError? ValidateReceive(ReceiveMessages command, PipeState pipe)
    {
        if (!pipe.Spec.Duplex && command.End == PipeEnd.B)
            return ObjectError.Invalid("end", $"{pipe} has one direction: end B sends and cannot receive; receive at end A");
        return command.MaxMessages < 0
            ? ObjectError.Invalid("max_messages", $"max_messages {command.MaxMessages} must be at least 1, or 0 for 1")
            : null;
    }
}
