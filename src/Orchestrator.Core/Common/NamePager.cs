namespace Orchestrator.Core.Common;

/// <summary>Pages of a few objects in the order of their names.</summary>
internal static class NamePager
{
    private static Comparer<string> LastFirst { get; } = Comparer<string>.Create((left, right) => string.CompareOrdinal(right, left));

    /// <summary>
    /// The first objects whose names come after <paramref name="after"/>, in ordinal order. Scans all, and keeps no more than a page.
    /// </summary>
    public static IReadOnlyList<T> After<T>(IEnumerable<T> all, Func<T, string> nameOf, string after, int maximum)
    {
        var page = new PriorityQueue<T, string>(LastFirst);
        foreach (var item in all)
        {
            var name = nameOf(item);
            if (string.CompareOrdinal(name, after) <= 0)
                continue;
            page.Enqueue(item, name);
            if (page.Count > maximum)
                page.Dequeue();
        }

        var items = new T[page.Count];
        for (var i = items.Length - 1; i >= 0; i--)
            items[i] = page.Dequeue();
        return items;
    }
}
