using Google.Protobuf;

namespace Orchestrator.Coordinator.Services;

/// <summary>A page of a list is bounded by bytes too: one message that is too large for its readers would hide the list from all of them.</summary>
internal static class Pages
{
    /// <summary>The most bytes of one page, except that a single item always fits.</summary>
    public const int MaxBytes = 2 * 1024 * 1024;

    /// <summary>How many of the items, from the first, are one page; at least one where there are any.</summary>
    /// <param name="items">The items, of which one more than a page holds may be there.</param>
    /// <param name="size">The most.</param>
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
