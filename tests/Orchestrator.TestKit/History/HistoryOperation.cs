namespace Orchestrator.TestKit.History;

/// <summary>One operation of one client on one object, as the client saw it.</summary>
/// <param name="Client">Who: one operation at a time, and the owner of what it acquires.</param>
/// <param name="Target">On what; histories are checked object by object.</param>
/// <param name="Kind">What, in the words of the object's model.</param>
/// <param name="Argument">With what.</param>
/// <param name="Result">
/// What came back; null where nothing did, since the client died or was cut off: then it may have happened at any time after <paramref name="Invoked"/>, or not at all.
/// </param>
/// <param name="Invoked">When it was asked for, by a clock that all processes of the machine share.</param>
/// <param name="Returned">When the result was there; <see cref="long.MaxValue"/> without one.</param>
public sealed record HistoryOperation(string Client, string Target, string Kind, string Argument, string? Result, long Invoked, long Returned)
{
    /// <summary>The kind of the operation by which a session ends: it gives back what the client still holds, in one instant between the two stamps.</summary>
    public const string SessionEnd = "end";

    /// <summary>Whether it may have happened or not.</summary>
    public bool IsUnknown => Result is null;

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Client}: {Target}.{Kind}({Argument}) = {Result ?? "?"} [{Invoked}, {(Returned == long.MaxValue ? "?" : Returned)}]";
}
