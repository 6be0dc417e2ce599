using Google.Protobuf;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>Bounds a list page by bytes too: a message too large for its readers would make the list unreadable.</summary>
internal static class Pages
{
    /// <summary>The maximum bytes of one page, except that a single item always fits.</summary>
    public const int MaxBytes = 2 * 1024 * 1024;

    /// <summary>How many of the items, from the first, fit on one page; at least one if there are any.</summary>
    /// <param name="items">The items, possibly one more than a page holds.</param>
    /// <param name="size">The maximum number of items.</param>
    public static int Fitting<T>(IReadOnlyList<T> items, int size)
        where T : IMessage
    {
        var bytes = 0L;
        for (var i = 0; i < items.Count && i < size; i++)
        {
            bytes += items[i].CalculateSize();
            if (bytes > MaxBytes && i > 0)
                return i;
        }

        return Math.Min(items.Count, size);
    }
}
