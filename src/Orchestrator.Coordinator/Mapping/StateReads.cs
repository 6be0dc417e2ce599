using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;
using Orchestrator.Core.State;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>
/// Queries of <c>StateService</c>, run under the engine's lock, and their answers. An answer too large for one message is cut where the
/// contract has pages; otherwise it is refused with advice on what would fit. Data is never silently omitted.
/// </summary>
internal static class StateReads
{
    // The maximum overhead of an entry or element besides its value: tags, lengths, a version.
    private const int OverheadBytes = 24;
    private const int MaxNumbers = PayloadMapper.MaxBytes / 13;

    public static ObjectOutcome Read(ObjectEngineView view, V1.ReadDictRequest request, TimeSpan now)
    {
        if (request.PageSize < 0)
            return CreateError(
                ObjectErrorReason.Invalid, "page_size", $"a page_size of {request.PageSize} must be at least 1, or 0 for the default");
        var query = new DictQuery(request.Dict)
        {
            Keys = request.Keys,
            KeyPrefix = request.KeyPrefix,
            MaxEntries = PayloadMapper.PageSize(request.PageSize),
            PageToken = request.PageToken,
            KeysOnly = request.KeysOnly,
        };
        var outcome = view.ReadDict(query, now);
        if (outcome is not DictPage page)
            return outcome;
        var fitting = Fitting(page.Entries, entry => (3 * entry.Key.Length) + (entry.Value?.Bytes ?? 0));
        if (fitting == page.Entries.Count)
            return page;
        return request.Keys.Count > 0
            ? CreateError(
                ObjectErrorReason.LimitExceeded,
                "keys",
                $"the values of {page.Entries.Count} keys are more than the {PayloadMapper.MaxBytes:N0} bytes that one answer carries; " +
                $"ask for the first {fitting}, then the others")
            : view.ReadDict(query with { MaxEntries = fitting }, now);
    }

    public static ObjectOutcome Read(ObjectEngineView view, V1.ReadListRequest request)
    {
        var outcome = view.ReadList(request.List, request.Start, request.Limit);
        if (outcome is not ListPage page)
            return outcome;
        var fitting = Fitting(page.Values, value => value.Bytes);
        if (fitting == page.Values.Count)
            return page;
        return CreateError(
            ObjectErrorReason.LimitExceeded,
            "limit",
            $"{page.Values.Count} elements are more than the {PayloadMapper.MaxBytes:N0} bytes that one answer carries; read {fitting} " +
            $"from {request.Start}, then on");
    }

    public static ObjectOutcome Read(ObjectEngineView view, V1.ReadValueRequest request) => view.ReadValue(request.Value);

    public static ObjectOutcome Read(ObjectEngineView view, V1.ReadArrayRequest request)
    {
        var limit = request.Limit is 0 or > MaxNumbers ? MaxNumbers + 1 : request.Limit;
        var outcome = view.ReadArray(request.Array, request.Start, limit);
        return outcome is ArrayPage { Values.Count: > MaxNumbers } page
            ? CreateError(
                ObjectErrorReason.LimitExceeded,
                "limit",
                $"the array has {page.Length} numbers from which more than {MaxNumbers} were asked for, the most that one answer " +
                "carries; read it in slices")
            : outcome;
    }

    public static V1.ReadDictResponse ToResponse(DictPage page) => new()
    {
        Version = page.Version,
        Count = page.Count,
        Entries = { page.Entries.Select(StateOperations.ToMessage) },
        MissingKeys = { page.MissingKeys },
        NextPageToken = page.NextPageToken,
    };

    public static V1.ReadListResponse ToResponse(ListPage page) => new()
    {
        Version = page.Version,
        Count = page.Count,
        Values = { page.Values.Select(PayloadMapper.ToPayload) },
    };

    public static V1.ReadValueResponse ToResponse(ValueReading reading) => new()
    {
        Version = reading.Version,
        Current = NumberMapper.ToMessage(reading.Current),
    };

    public static V1.ReadArrayResponse ToResponse(ArrayPage page) => new()
    {
        Version = page.Version,
        Length = page.Length,
        Values = { page.Values.Select(NumberMapper.ToMessage) },
    };

    /// <summary>How many, from the first, fit into one answer; at least one, since every single value fits.</summary>
    private static int Fitting<T>(IReadOnlyList<T> items, Func<T, int> size)
    {
        var bytes = 0L;
        for (var i = 0; i < items.Count; i++)
        {
            bytes += size(items[i]) + OverheadBytes;
            if (bytes > PayloadMapper.MaxBytes && i > 0)
                return i;
        }

        return items.Count;
    }

    private static ObjectError CreateError(ObjectErrorReason reason, string field, string message) =>
        new(reason, message) { Field = field };
}
