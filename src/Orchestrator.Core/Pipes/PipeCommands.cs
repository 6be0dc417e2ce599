using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Pipes;

/// <summary>
/// Creates a pipe, or answers with the existing one if all its settings agree. Errors: INVALID, KIND_MISMATCH, LIMIT_EXCEEDED.
/// </summary>
/// <param name="Spec">Its settings.</param>
public sealed record CreatePipe(PipeSpec Spec) : ObjectCommand
{
    internal override bool CanBeUndone => false;

    internal override ObjectKind Primitive => ObjectKind.Pipe;
}

/// <summary>The pipe exists.</summary>
/// <param name="Pipe">Its current state.</param>
public sealed record CreatePipeOutcome(PipeInfo Pipe) : ObjectOutcome;

/// <summary>
/// The end belongs to the session from now on: no other session may use it, and it is closed when the session ends. When the outcome is
/// undone, it is free again. A send or receive with a session also makes that session the owner of an end without one. Errors: NOT_OWNER
/// (another session's, or attached before), BROKEN_PIPE (closed), NOT_FOUND, INVALID.
/// </summary>
/// <param name="Pipe">Its name.</param>
/// <param name="End">Which end.</param>
public sealed record AttachPipeEnd(string Pipe, PipeEnd End) : ObjectCommand
{
    internal override ObjectKind Primitive => ObjectKind.Pipe;
}

/// <summary>The end is attached.</summary>
/// <param name="Pipe">The pipe's current state.</param>
public sealed record AttachPipeEndOutcome(PipeInfo Pipe) : ObjectOutcome;

/// <summary>
/// Waits until the other end of a direct pipe is closed, which ends it with END_OF_FILE. Errors: BROKEN_PIPE (this end is closed, also
/// meanwhile), INVALID (the pipe is not direct), NOT_OWNER, NOT_FOUND.
/// </summary>
/// <param name="Pipe">Its name.</param>
/// <param name="End">The end that waits.</param>
public sealed record AwaitPeerClosed(string Pipe, PipeEnd End) : WaitingCommand
{
    internal override bool CanBeUndone => false;

    internal override ObjectOutcome TimedOut => ReceiveOutcome.TimedOut;

    internal override ObjectKind Primitive => ObjectKind.Pipe;
}

/// <summary>The session leaves the end without closing it: another may attach. Errors: NOT_OWNER, NOT_FOUND, INVALID.</summary>
/// <param name="Pipe">Its name.</param>
/// <param name="End">Which end.</param>
public sealed record DetachPipeEnd(string Pipe, PipeEnd End) : ObjectCommand
{
    internal override bool CanBeUndone => false;

    internal override ObjectKind Primitive => ObjectKind.Pipe;
}

/// <summary>
/// Closes an end permanently: messages that it sent can still be read, then the other end reads END_OF_FILE; messages under way to it are
/// dropped. The pipe is dropped when both ends are closed. Closing a closed end changes nothing. Errors: NOT_OWNER (another session's),
/// NOT_FOUND, INVALID.
/// </summary>
/// <param name="Pipe">Its name.</param>
/// <param name="End">Which end.</param>
public sealed record ClosePipeEnd(string Pipe, PipeEnd End) : ObjectCommand
{
    internal override bool CanBeUndone => false;

    internal override ObjectKind Primitive => ObjectKind.Pipe;
}

/// <summary>
/// Sends messages from an end, in order: waits while the direction is full, and sends as many as fit. Sent messages stay sent however the
/// wait ends, even if the outcome cannot be delivered.
/// </summary>
/// <remarks>
/// Errors: INVALID (the wrong direction, a message that could never fit), NOT_OWNER, BROKEN_PIPE (this end is closed), NOT_FOUND,
/// LIMIT_EXCEEDED, SESSION_LOST, CANCELLED.
/// </remarks>
/// <param name="Pipe">Its name.</param>
/// <param name="End">The end that sends.</param>
/// <param name="Messages">At least one. The caller must not change it before the outcome.</param>
public sealed record SendMessages(string Pipe, PipeEnd End, IReadOnlyList<Content> Messages) : WaitingCommand
{
    internal override bool CanBeUndone => false;

    internal override ObjectOutcome TimedOut => SendOutcome.TimedOut;

    internal override long ContentBytes
    {
        get
        {
            var bytes = (long)ContentTally.EntryBytes * Messages.Count;
            for (var i = 0; i < Messages.Count; i++)
                bytes += Messages[i].Bytes;
            return bytes;
        }
    }

    internal override (string Field, int Bytes)? FindLarge(int limit) =>
        FirstAbove(limit, Messages, static message => message.Bytes, static (_, i) => $"messages[{i}]");

    internal override ObjectKind Primitive => ObjectKind.Pipe;
}

/// <summary>How a send ended.</summary>
/// <param name="Status">Ok when all were sent; timeout, or broken pipe.</param>
/// <param name="Sent">How many, from the first.</param>
public sealed record SendOutcome(PipeStatus Status, int Sent) : ObjectOutcome
{
    /// <inheritdoc/>
    public override bool IsSuccess => Status == PipeStatus.Ok;

    internal static SendOutcome TimedOut { get; } = new(PipeStatus.Timeout, 0);
}

/// <summary>
/// Receives messages at an end: waits while there is none, then takes the available ones, up to a maximum. When the outcome is undone, they
/// return to the front; that may exceed the pipe's bounds for a while.
/// </summary>
/// <remarks>
/// Errors: INVALID (the wrong direction among them), NOT_OWNER, BROKEN_PIPE (this end is closed), NOT_FOUND, LIMIT_EXCEEDED,
/// SESSION_LOST, CANCELLED.
/// </remarks>
/// <param name="Pipe">Its name.</param>
/// <param name="End">The end that receives.</param>
/// <param name="MaxMessages">The most to take; 0 means 1.</param>
public sealed record ReceiveMessages(string Pipe, PipeEnd End, int MaxMessages = 1) : WaitingCommand
{
    /// <summary>The most bytes to take at once, except that one message is always taken: the limit of the response's size.</summary>
    public long MaxBytes { get; init; } = long.MaxValue;

    /// <summary>Take nothing, and only report whether messages are available.</summary>
    public bool Peek { get; init; }

    internal override bool IsKeptBriefly => !Peek;

    internal override ObjectOutcome TimedOut => ReceiveOutcome.TimedOut;

    internal override ObjectKind Primitive => ObjectKind.Pipe;
}

/// <summary>How a receive ended.</summary>
/// <param name="Status">Ok, timeout or end of file.</param>
/// <param name="Messages">The received messages, in order.</param>
/// <param name="Available">How many more are available.</param>
public sealed record ReceiveOutcome(PipeStatus Status, IReadOnlyList<Content> Messages, int Available) : ObjectOutcome
{
    /// <inheritdoc/>
    public override bool IsSuccess => Status == PipeStatus.Ok;

    internal static ReceiveOutcome TimedOut { get; } = new(PipeStatus.Timeout, [], 0);

    internal static ReceiveOutcome EndOfFile { get; } = new(PipeStatus.EndOfFile, [], 0);

    /// <inheritdoc/>
    public override int Bytes => (int)Math.Min(int.MaxValue, Messages.Sum(message => (long)message.Bytes));

    /// <summary>The side that the messages came from, to return them.</summary>
    internal (PipeState Pipe, PipeSide Side)? Source { get; init; }

    /// <summary>The positions of the messages: not always consecutive, where some had been returned.</summary>
    internal IReadOnlyList<long> Sequences { get; init; } = [];

    /// <summary>Returned twice, they would be in the pipe twice.</summary>
    internal bool IsGivenBack { get; set; }
}
