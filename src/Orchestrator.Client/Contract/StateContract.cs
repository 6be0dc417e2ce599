using System.Numerics;
using Orchestrator.Client.Objects;
using Orchestrator.V1;

namespace Orchestrator.Client.Contract;

/// <summary>Updates, reads and watches of dicts, lists, values and arrays with the messages of the contract, which no fake takes.</summary>
public static class StateContract
{
    /// <summary>Applies all edits or none; returns the dict's version and the resulting entries.</summary>
    /// <param name="dict">The dict.</param>
    /// <param name="edits">Applied in order: each edit sees the effect of the earlier ones.</param>
    /// <param name="guard">The precondition; the call fails with STALE if it does not hold.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static Task<UpdateDictResponse> UpdateAsync<T>(
        this SharedDict<T> dict, IEnumerable<DictEdit> edits, Guard? guard = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dict);
        dict.ThrowIfFake();
        return dict.EditAsync(edits, guard, cancellationToken);
    }

    /// <summary>A page of the entries, in the order of insertion.</summary>
    /// <param name="dict">The dict.</param>
    /// <param name="pageToken">The last page's <see cref="ReadDictResponse.NextPageToken"/>; empty for the first.</param>
    /// <param name="keyPrefix">Only keys with this prefix, in the ordinal order of the keys; empty for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static Task<ReadDictResponse> ReadPageAsync<T>(
        this SharedDict<T> dict, string pageToken = "", string keyPrefix = "", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dict);
        dict.ThrowIfFake();
        return dict.PageAsync(pageToken, keyPrefix, cancellationToken);
    }

    /// <summary>Every change after a version; a snapshot comes first if the changes after that version are no longer kept.</summary>
    public static IAsyncEnumerable<WatchStateResponse> WatchMessagesAsync<T>(
        this SharedDict<T> dict, ulong afterVersion = 0, string keyPrefix = "", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dict);
        dict.ThrowIfFake();
        return dict.FollowAsync(afterVersion, keyPrefix, cancellationToken);
    }

    /// <summary>Applies all edits or none.</summary>
    public static Task<UpdateListResponse> UpdateAsync<T>(
        this SharedList<T> list, IEnumerable<ListEdit> edits, Guard? guard = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(list);
        list.ThrowIfFake();
        return list.EditAsync(edits, guard, cancellationToken);
    }

    /// <summary>A slice with the list's version and length.</summary>
    public static Task<ReadListResponse> ReadSliceAsync<T>(
        this SharedList<T> list, long start = 0, long limit = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(list);
        list.ThrowIfFake();
        return list.SliceAsync(start, limit, cancellationToken);
    }

    /// <summary>Every change after a version, as those of a dict.</summary>
    public static IAsyncEnumerable<WatchStateResponse> WatchMessagesAsync<T>(
        this SharedList<T> list, ulong afterVersion = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(list);
        list.ThrowIfFake();
        return list.FollowAsync(afterVersion, cancellationToken);
    }

    /// <summary>Applies any kind of edit.</summary>
    public static Task<UpdateValueResponse> UpdateAsync<T>(
        this SharedValue<T> value, NumberEdit edit, Guard? guard = null, CancellationToken cancellationToken = default)
        where T : struct, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(value);
        value.ThrowIfFake();
        return value.EditAsync(edit, guard, cancellationToken);
    }

    /// <summary>The number; null before it is first set.</summary>
    public static Task<Number?> ReadNumberAsync<T>(this SharedValue<T> value, CancellationToken cancellationToken = default)
        where T : struct, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(value);
        value.ThrowIfFake();
        return value.GetAsync(cancellationToken);
    }

    /// <summary>Every change after a version, as those of a dict.</summary>
    public static IAsyncEnumerable<WatchStateResponse> WatchMessagesAsync<T>(
        this SharedValue<T> value, ulong afterVersion = 0, CancellationToken cancellationToken = default)
        where T : struct, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(value);
        value.ThrowIfFake();
        return value.FollowAsync(afterVersion, cancellationToken);
    }

    /// <summary>Applies all edits or none; returns the resulting elements, in the order of the edits.</summary>
    public static Task<IReadOnlyList<Number>> UpdateAsync<T>(
        this SharedArray<T> array, IEnumerable<ArrayEdit> edits, Guard? guard = null, CancellationToken cancellationToken = default)
        where T : struct, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(array);
        array.ThrowIfFake();
        return array.EditAsync(edits, guard, cancellationToken);
    }

    /// <summary>A slice with the array's version and length.</summary>
    public static Task<ReadArrayResponse> ReadSliceAsync<T>(
        this SharedArray<T> array, long start = 0, long limit = 0, CancellationToken cancellationToken = default)
        where T : struct, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(array);
        array.ThrowIfFake();
        return array.SliceAsync(start, limit, cancellationToken);
    }

    /// <summary>Every change after a version, as those of a dict.</summary>
    public static IAsyncEnumerable<WatchStateResponse> WatchMessagesAsync<T>(
        this SharedArray<T> array, ulong afterVersion = 0, CancellationToken cancellationToken = default)
        where T : struct, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(array);
        array.ThrowIfFake();
        return array.FollowAsync(afterVersion, cancellationToken);
    }
}
