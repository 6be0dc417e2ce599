using Orchestrator.Core.Sync;

namespace Orchestrator.Core.Objects;

/// <summary>The synchronization objects, page by page.</summary>
public sealed partial class ObjectEngine
{
    private const int DefaultPageSize = 100;
    private const int MaxPageSize = 1_000;

    /// <summary>
    /// The objects in the order of their names over all kinds (<c>barriers/a</c>, <c>locks/a</c>, <c>locks/b</c>). A page begins after the
    /// last name of the previous page: objects that are created or dropped between two pages neither hide others nor appear twice.
    /// </summary>
    /// <param name="pageSize">How many; 0 means 100, and more than 1,000 means 1,000.</param>
    /// <param name="pageToken">The last page's <see cref="SyncPage.NextPageToken"/>; empty for the first.</param>
    /// <param name="now">The time.</param>
    /// <param name="maximum">The most holders and the most waiters to list of one object.</param>
    /// <returns>A <see cref="SyncPage"/>, or an error: INVALID.</returns>
    public ObjectOutcome ListSync(int pageSize, string pageToken, TimeSpan now, int maximum = 100)
    {
        ArgumentNullException.ThrowIfNull(pageToken);
        if (pageSize < 0)
            return ObjectError.Invalid("page_size", $"a page_size of {pageSize} must be at least 1, or 0 for {DefaultPageSize}");
        // In the order of their prefixes.
        (ObjectKind Kind, IEnumerable<NamedObject> Objects)[] tables =
        [
            (ObjectKind.Barrier, _kernel.Machines[ObjectKind.Barrier].Objects), (ObjectKind.Condition, _kernel.Machines[ObjectKind.Condition].Objects), (ObjectKind.Event, _kernel.Machines[ObjectKind.Event].Objects), (ObjectKind.Latch, _kernel.Machines[ObjectKind.Latch].Objects),
            (ObjectKind.Lock, _kernel.Machines[ObjectKind.Lock].Objects), (ObjectKind.RateLimiter, _kernel.Machines[ObjectKind.RateLimiter].Objects), (ObjectKind.Semaphore, _kernel.Machines[ObjectKind.Semaphore].Objects),
        ];
        var start = pageToken.Length == 0 ? 0 : Array.FindIndex(tables, table => pageToken.StartsWith(table.Kind.Qualify(""), StringComparison.Ordinal));
        if (start < 0)
            return ObjectError.Invalid("page_token", $"the page_token \"{ObjectError.Shorten(pageToken)}\" must be the next_page_token of an earlier page");

        var size = pageSize == 0 ? DefaultPageSize : Math.Min(pageSize, MaxPageSize);
        var after = pageToken.Length == 0 ? "" : pageToken[tables[start].Kind.Qualify("").Length..];
        var page = new List<NamedObject>();
        for (var i = start; i < tables.Length && page.Count <= size; i++)
            page.AddRange(Smallest(tables[i].Objects, size + 1 - page.Count, i == start ? after : ""));

        var at = Math.Max(Now, now.Ticks);
        var infos = page.Take(size).Select(item => Show(item, at, maximum)).ToArray();
        return new SyncPage(infos, page.Count > size ? page[size - 1].QualifiedName : "");
    }

    /// <summary>The first names after a given one, without sorting all.</summary>
    private static NamedObject[] Smallest(IEnumerable<NamedObject> objects, int count, string after)
    {
        var largestFirst = Comparer<string>.Create((left, right) => string.CompareOrdinal(right, left));
        var smallest = new PriorityQueue<NamedObject, string>(largestFirst);
        foreach (var item in objects)
        {
            if (string.CompareOrdinal(item.Name, after) <= 0)
                continue;
            if (smallest.Count < count)
                smallest.Enqueue(item, item.Name);
            else
                smallest.EnqueueDequeue(item, item.Name);
        }

        var sorted = new NamedObject[smallest.Count];
        for (var i = sorted.Length - 1; i >= 0; i--)
            sorted[i] = smallest.Dequeue();
        return sorted;
    }

    private static SyncInfo Show(NamedObject item, long now, int maximum)
    {
        var holders = item.Holds.OrderBy(hold => hold.Since).ThenBy(hold => hold.Token).Take(maximum)
            .Select(hold => new SyncHolder(hold.Session, TimeSpan.FromTicks(now - hold.Since), hold.Token));
        var waiters = new List<SyncHolder>();
        for (var wait = item.Waiters?.First; wait is not null && waiters.Count < maximum; wait = wait.Next)
            waiters.Add(new SyncHolder(wait.Session, TimeSpan.FromTicks(now - wait.Since), 0));
        return new SyncInfo(item.QualifiedName, item.Describe(), [.. holders], waiters);
    }
}
