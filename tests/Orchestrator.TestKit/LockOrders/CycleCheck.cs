namespace Orchestrator.TestKit.LockOrders;

/// <summary>Checks every reported cycle against the actual holds and waits.</summary>
public static class CycleCheck
{
    private const string Prefix = "locks/";

    /// <summary>The fault of a reported cycle; null where it was real.</summary>
    /// <remarks>
    /// There must be one instant, within the rejected call, at which every edge's waiter was within a call for that lock and every holder
    /// may have held it: from before its request until the response to its release. An edge may lead to a session that is ahead in the same
    /// queue: the next edge continues from there at the same lock, and the last of these must be a holder.
    /// </remarks>
    public static string? Refute(LockAttempt refused, ILookup<(string Session, string Lock), LockAttempt> attempts)
    {
        var cycle = refused.Cycle!;
        var needed = new List<(string What, (long From, long To)[] When)>();
        for (var i = 0; i < cycle.Count; i++)
        {
            var edge = cycle[i];
            var next = cycle[(i + 1) % cycle.Count];
            if (edge.Holder != next.Waiter)
                return $"edge {i} leads to {edge.Holder}, and the next begins with {next.Waiter}";
            var name = edge.Target[Prefix.Length..];
            if (i == 0)
            {
                if (edge.Waiter != refused.Session || name != refused.Lock)
                    return $"it begins with {edge.Waiter} at {edge.Target}, and was reported to {refused.Session} at {refused.Lock}";
            }
            else
            {
                needed.Add(($"{edge.Waiter} waited for {name}",
                    [.. attempts[(edge.Waiter, name)].Select(attempt => (attempt.Asked, attempt.Answered))]));
            }

            // Ahead in the same queue: the next edge states, and checks, that it waits there.
            var isAhead = next.Target == edge.Target && i + 1 < cycle.Count;
            if (!isAhead)
            {
                var holds = attempts[(edge.Holder, name)].Where(attempt => attempt.Cycle is null);
                needed.Add(($"{edge.Holder} held {name}", [.. holds.Select(attempt => (attempt.Asked, attempt.Released))]));
            }
        }

        return Meet(needed, 0, refused.Asked, refused.Answered)
            ? null
            : $"at no time within [{refused.Asked}, {refused.Answered}] {string.Join(" and ", needed.Select(item => item.What))}";
    }

    /// <summary>Whether all conditions held at one instant; a session may have requested one lock several times.</summary>
    private static bool Meet(List<(string What, (long From, long To)[] When)> needed, int index, long from, long to)
    {
        if (index == needed.Count)
            return true;
        foreach (var when in needed[index].When)
        {
            var (later, earlier) = (Math.Max(from, when.From), Math.Min(to, when.To));
            if (later <= earlier && Meet(needed, index + 1, later, earlier))
                return true;
        }

        return false;
    }
}
