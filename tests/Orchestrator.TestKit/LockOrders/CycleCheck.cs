namespace Orchestrator.TestKit.LockOrders;

/// <summary>Holds every reported cycle against what was really held and waited for.</summary>
public static class CycleCheck
{
    private const string Prefix = "locks/";

    /// <summary>What is wrong with a reported cycle; null where it was real.</summary>
    /// <remarks>
    /// There must be one instant, within the refused call, at which every edge's waiter was within a call for that very lock and every holder may have held
    /// it: from before it asked until its release was answered. An edge may lead to one who stands ahead in the same line: the next edge goes on from
    /// there at the same lock, and the last of these must be a holder.
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
                needed.Add(($"{edge.Waiter} waited for {name}", [.. attempts[(edge.Waiter, name)].Select(attempt => (attempt.Asked, attempt.Answered))]));
            }

            // Ahead in the same line: that it waits there is said, and looked at, by the next edge.
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

    /// <summary>Whether all that is needed was so at one instant; a session may have asked for one lock several times.</summary>
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
