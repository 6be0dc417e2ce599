namespace Orchestrator.TestKit.History;

/// <summary>One operation of one client on one object, as the client saw it.</summary>
/// <param name="Client">The client: it has one operation at a time, and owns what it acquires.</param>
/// <param name="Target">The object; histories are checked object by object.</param>
/// <param name="Kind">The operation, as named by the object's model.</param>
/// <param name="Argument">Its argument.</param>
/// <param name="Result">
/// The result; null where there was none, since the client died or was cut off: the operation then may have happened at any time after
/// <paramref name="Invoked"/>, or not at all.
/// </param>
/// <param name="Invoked">The time of the call, by a clock that all processes of the machine share.</param>
/// <param name="Returned">The time of the result; <see cref="long.MaxValue"/> without one.</param>
public sealed record HistoryOperation(
    string Client, string Target, string Kind, string Argument, string? Result, long Invoked, long Returned)
{
    /// <summary>
    /// The kind of the operation that ends a session: it releases the client's holds, in one instant between the two stamps.
    /// </summary>
    public const string SessionEnd = "end";

    /// <summary>Whether the operation may or may not have happened.</summary>
    public bool IsUnknown => Result is null;

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Client}: {Target}.{Kind}({Argument}) = {Result ?? "?"} [{Invoked}, {(Returned == long.MaxValue ? "?" : Returned)}]";
}
