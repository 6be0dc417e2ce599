using Orchestrator.Core.Common;

namespace Orchestrator.Core.Pipes;

/// <summary>The limits of pipes.</summary>
public sealed record PipeOptions
{
    /// <summary>The most messages under way in one direction, where the pipe's creator names no bound.</summary>
    public int DefaultMaxMessages { get; init; } = 1_000;

    /// <summary>The most bytes under way in one direction, where the pipe's creator names no bound.</summary>
    public long DefaultMaxBytes { get; init; } = 16L << 20;

    /// <summary>The most messages that a pipe may ask for.</summary>
    public int MaxMessages { get; init; } = 10_000_000;

    /// <summary>The most bytes that a pipe may ask for.</summary>
    public long MaxBytes { get; init; } = 16L << 30;
}

/// <summary>One of a pipe's two ends; the numbers are those of <c>orchestrator.v1.PipeEnd</c>.</summary>
public enum PipeEnd : byte
{
    /// <summary>The end that receives where the pipe has one direction.</summary>
    A = 1,

    /// <summary>The end that sends where the pipe has one direction.</summary>
    B = 2,
}

/// <summary>How a send or receive ended; the numbers are those of <c>orchestrator.v1.PipeStatus</c>.</summary>
public enum PipeStatus : byte
{
    /// <summary>It was done.</summary>
    Ok = 1,

    /// <summary>Its timeout passed first.</summary>
    Timeout = 2,

    /// <summary>The other end is closed, and all that it sent has been read.</summary>
    EndOfFile = 3,

    /// <summary>The other end is closed: its messages will not be read.</summary>
    BrokenPipe = 4,
}

/// <summary>A pipe's settings. Two are equal if all their settings are, with the defaults filled in.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Duplex">Whether both ends send and receive; else A receives and B sends.</param>
public sealed record PipeSpec(string Name, bool Duplex)
{
    /// <summary>The most messages under way in each direction; 0 takes the default.</summary>
    public int MaxMessages { get; init; }

    /// <summary>The most bytes under way in each direction; 0 takes the default.</summary>
    public long MaxBytes { get; init; }

    /// <summary>
    /// Whether its ends exchange messages over sockets of their own: this engine then knows its ends and their owners, but no messages.
    /// </summary>
    public bool Direct { get; init; }

    /// <summary>The options that differ from <paramref name="asked"/>.</summary>
    internal string DifferencesFrom(PipeSpec asked) => ContractNames.Differences(
        ("duplex", Duplex, asked.Duplex), ("max_messages", MaxMessages, asked.MaxMessages), ("max_bytes", MaxBytes, asked.MaxBytes),
        ("direct", Direct, asked.Direct));
}

/// <summary>A pipe's current state.</summary>
/// <param name="Spec">Its settings, with the defaults filled in.</param>
/// <param name="A">Its end A.</param>
/// <param name="B">Its end B.</param>
public sealed record PipeInfo(PipeSpec Spec, PipeEndInfo A, PipeEndInfo B)
{
    /// <summary>Distinguishes it from earlier and later pipes of its name.</summary>
    public long Number { get; init; }

    /// <summary>The credential of its creator; empty for the coordinator's owner.</summary>
    public string Owner { get; init; } = "";
}

/// <summary>The current state of a pipe's end.</summary>
/// <param name="Buffered">How many messages are under way to it.</param>
/// <param name="BufferedBytes">Their size.</param>
/// <param name="IsAttached">Whether it belongs to a session.</param>
/// <param name="IsClosed">Whether it is closed.</param>
public readonly record struct PipeEndInfo(int Buffered, long BufferedBytes, bool IsAttached, bool IsClosed);
