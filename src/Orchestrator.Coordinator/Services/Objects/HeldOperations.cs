using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary>An operation of a Connect stream that was read and checked.</summary>
/// <param name="Id">Its id; 0 where the client gave it none.</param>
/// <param name="Request">What it does; null for a question or a refused operation.</param>
/// <param name="Read">The question it asks; null if it asks none.</param>
/// <param name="Refused">Why it cannot be executed.</param>
internal readonly record struct ReadyOperation(
    ulong Id, ObjectRequest? Request, Func<ObjectEngineView, TimeSpan, ObjectOutcome>? Read, ObjectError? Refused);

/// <summary>An operation that runs after another one of its session.</summary>
internal sealed class HeldOperation
{
    /// <param name="operation">The operation.</param>
    /// <param name="after">The id of the one before.</param>
    public HeldOperation(ReadyOperation operation, ulong after) => (Operation, After, Node) = (operation, after, new(this));

    public ReadyOperation Operation { get; }

    public ulong After { get; }

    public ulong Id => Operation.Id;

    /// <summary>The operation whose outcome is awaited now: the one before, or what that one awaits while it is held back itself.</summary>
    public ulong Root { get; set; }

    /// <summary>The engine's command that awaits it.</summary>
    public FollowOperation? Follow { get; set; }

    /// <summary>Its place among those that run after the same one.</summary>
    public LinkedListNode<HeldOperation> Node { get; }
}

/// <summary>
/// The operations of one stream that are held back until others have succeeded: which one awaits which. It decides nothing about outcomes
/// and has no lock of its own.
/// </summary>
internal sealed class HeldOperations
{
    private readonly Dictionary<ulong, HeldOperation> _held = [];
    // By the id of the one before, in the order in which they were held.
    private readonly Dictionary<ulong, LinkedList<HeldOperation>> _byPredecessor = [];

    /// <summary>How many are held back.</summary>
    public int Count => _held.Count;

    /// <summary>The held operation with this id; null if none is.</summary>
    public HeldOperation? Find(ulong id) => _held.GetValueOrDefault(id);

    /// <summary>Holds an operation back, whose id must not be among the held ones, and sets what it awaits.</summary>
    public void Hold(HeldOperation operation)
    {
        operation.Root = _held.TryGetValue(operation.After, out var before) ? before.Root : operation.After;
        _held.Add(operation.Id, operation);
        if (!_byPredecessor.TryGetValue(operation.After, out var siblings))
            _byPredecessor.Add(operation.After, siblings = new LinkedList<HeldOperation>());
        siblings.AddLast(operation.Node);
    }

    /// <summary>An operation is to run: it is not held any more. Those that run after it stay.</summary>
    public void Release(HeldOperation operation)
    {
        _held.Remove(operation.Id);
        var siblings = _byPredecessor[operation.After];
        siblings.Remove(operation.Node);
        if (siblings.Count == 0)
            _byPredecessor.Remove(operation.After);
    }

    /// <summary>
    /// An operation will not run, and neither will those that run after it: none of them is held any more. Returns all, each behind the one
    /// that it had to follow.
    /// </summary>
    public IReadOnlyList<HeldOperation> Drop(HeldOperation operation)
    {
        Release(operation);
        List<HeldOperation> dropped = [operation];
        for (var i = 0; i < dropped.Count; i++)
        {
            if (!_byPredecessor.Remove(dropped[i].Id, out var followers))
                continue;
            foreach (var follower in followers)
                _held.Remove(follower.Id);
            dropped.AddRange(followers);
        }

        return dropped;
    }

    /// <summary>The stream has ended: none is held any more. Returns those that were.</summary>
    public IReadOnlyList<HeldOperation> Clear()
    {
        HeldOperation[] all = [.. _held.Values];
        _held.Clear();
        _byPredecessor.Clear();
        return all;
    }
}
