using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Pipes;

/// <summary>
/// A pipe: two ends, each with the messages under way to it. It adds no blockers to deadlock detection: two sessions that both receive are
/// the normal state of two peers that each read in one thread and write in another.
/// </summary>
internal sealed class PipeState(PipeSpec spec, long number, ContentTally tally) : NamedObject(ObjectKind.Pipe, spec.Name)
{
    public PipeSpec Spec => spec;

    public long Number => number;

    public PipeSide A { get; } = new(PipeEnd.A, tally);

    public PipeSide B { get; } = new(PipeEnd.B, tally);

    public override bool HasWaiters => A.HasWaiters || B.HasWaiters;

    public bool IsOver => A.IsClosed && B.IsClosed;

    public PipeSide this[PipeEnd end] => end == PipeEnd.A ? A : B;

    public PipeSide Opposite(PipeSide side) => side == A ? B : A;

    public bool Fits(PipeSide to, IReadOnlyList<Content> messages)
    {
        var bytes = to.Buffer.Bytes;
        foreach (var message in messages)
            bytes += message.Bytes;
        return (long)to.Buffer.Count + messages.Count <= spec.MaxMessages && bytes <= spec.MaxBytes;
    }

    /// <summary>Sends as many as fit, in order.</summary>
    /// <returns>How many.</returns>
    public int Send(PipeSide to, IReadOnlyList<Content> messages, int from)
    {
        var next = from;
        for (; next < messages.Count && to.Buffer.Count < spec.MaxMessages
            && to.Buffer.Bytes + messages[next].Bytes <= spec.MaxBytes; next++)
            to.Add(messages[next]);
        return next - from;
    }

    public override ObjectOutcome? PartialOutcome(Wait wait) =>
        wait.Command is SendMessages && Sent(wait) is > 0 and var sent ? new SendOutcome(PipeStatus.Timeout, sent) : null;

    /// <summary>How many messages of a waiting send have been sent.</summary>
    public static int Sent(Wait wait) => wait.Progress is { } sent ? (int)sent : 0;
}

/// <summary>One end: the messages under way to it, its waiters, and its owner.</summary>
internal sealed class PipeSide(PipeEnd end, ContentTally tally)
{
    private long _sequence;

    public PipeEnd End => end;

    /// <summary>Messages to this end, which are entries like a queue's: an undelivered message returns to its place.</summary>
    public ReadyEntries Buffer { get; } = new(tally, QueueKind.Fifo);

    public WaiterQueue Receivers { get; } = new();

    /// <summary>The sends that wait at this end; their messages go to the other.</summary>
    public WaiterQueue Senders { get; } = new();

    public PipeHold? Owner { get; set; }

    public bool IsClosed { get; set; }

    public bool HasWaiters => Receivers.Count + Senders.Count > 0;

    public void Add(Content message) => Buffer.Add(new QueueEntry { Body = message.Body, Bytes = message.Bytes, Sequence = ++_sequence });
}

/// <summary>A session's end of a pipe.</summary>
internal sealed class PipeHold(Session session, PipeState pipe, PipeSide side, long since) : Hold(session, pipe, "", since)
{
    public PipeSide Side => side;

    /// <summary>Whether the session attached the end explicitly, rather than only using it.</summary>
    public bool IsAttached { get; set; }
}
