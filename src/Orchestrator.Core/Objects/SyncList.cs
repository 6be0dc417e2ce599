using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Objects;

/// <summary>The synchronization objects, page by page.</summary>
internal static class SyncList
{
    private const int DefaultPageSize = 100;
    private const int MaxPageSize = 1_000;

    // In the order of their prefixes.
    private static readonly ObjectKind[] Kinds =
    [
        ObjectKind.Barrier, ObjectKind.Condition, ObjectKind.Event, ObjectKind.Latch,
        ObjectKind.Lock, ObjectKind.RateLimiter, ObjectKind.Semaphore,
    ];

    /// <summary>A <see cref="SyncPage"/>, or an INVALID <see cref="ObjectError"/>, see <see cref="ObjectEngineView.ListSync"/>.</summary>
    public static ObjectOutcome Page(MachineTable machines, int pageSize, string pageToken, long now, int maximum)
    {
        if (pageSize < 0)
            return ObjectError.Invalid("page_size", $"a page_size of {pageSize} must be at least 1, or 0 for {DefaultPageSize}");
        var start = pageToken.Length == 0
            ? 0
            : Array.FindIndex(Kinds, kind => pageToken.StartsWith(kind.Qualify(""), StringComparison.Ordinal));
        if (start < 0)
        {
            return ObjectError.Invalid(
                "page_token", $"the page_token \"{ObjectError.Shorten(pageToken)}\" must be the next_page_token of an earlier page");
        }

        var size = pageSize == 0 ? DefaultPageSize : Math.Min(pageSize, MaxPageSize);
        var after = pageToken.Length == 0 ? "" : pageToken[Kinds[start].Qualify("").Length..];
        var page = new List<NamedObject>();
        for (var i = start; i < Kinds.Length && page.Count <= size; i++)
            page.AddRange(machines[Kinds[i]].ObjectsAfter(i == start ? after : "", size + 1 - page.Count));

        var infos = page.Take(size).Select(item => Show(item, now, maximum)).ToArray();
        return new SyncPage(infos, page.Count > size ? page[size - 1].QualifiedName : "");
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
