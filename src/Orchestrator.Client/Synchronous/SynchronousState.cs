using Orchestrator.Client.Connection;
using Orchestrator.Client.Objects;

namespace Orchestrator.Client.Synchronous;

/// <summary>Shared dicts and lists for code that cannot wait asynchronously: each method holds its thread until the answer.</summary>
/// <remarks>Errors are those of the asynchronous methods. Safe on any thread, also one with a synchronization context.</remarks>
public static class SynchronousState
{
    /// <summary>As <see cref="SharedDict{T}.GetAsync(string, CancellationToken)"/>.</summary>
    public static T? Get<T>(this SharedDict<T> dict, string key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dict);
        return Blocking.Wait(dict.GetAsync(key, cancellationToken));
    }

    /// <summary>As <see cref="SharedDict{T}.FindAsync(string, CancellationToken)"/>.</summary>
    public static DictItem<T>? Find<T>(this SharedDict<T> dict, string key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dict);
        return Blocking.Wait(dict.FindAsync(key, cancellationToken));
    }

    /// <summary>As <see cref="SharedDict{T}.SetAsync(string, T, CancellationToken)"/>.</summary>
    public static void Set<T>(this SharedDict<T> dict, string key, T item, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dict);
        Blocking.Wait(dict.SetAsync(key, item, cancellationToken));
    }

    /// <summary>As <see cref="SharedDict{T}.SetAsync(string, T, UpdateGuard, CancellationToken)"/>.</summary>
    public static void Set<T>(
        this SharedDict<T> dict, string key, T item, UpdateGuard guard, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dict);
        Blocking.Wait(dict.SetAsync(key, item, guard, cancellationToken));
    }

    /// <summary>As <see cref="SharedDict{T}.SetDefaultAsync(string, T, CancellationToken)"/>.</summary>
    public static T SetDefault<T>(this SharedDict<T> dict, string key, T item, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dict);
        return Blocking.Wait(dict.SetDefaultAsync(key, item, cancellationToken));
    }

    /// <summary>As <see cref="SharedDict{T}.AddAsync(string, double, CancellationToken)"/>.</summary>
    public static double Add<T>(this SharedDict<T> dict, string key, double amount, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dict);
        return Blocking.Wait(dict.AddAsync(key, amount, cancellationToken));
    }

    /// <summary>As <see cref="SharedDict{T}.UpdateAsync(string, Func{T, T}, CancellationToken)"/>.</summary>
    public static T Update<T>(this SharedDict<T> dict, string key, Func<T?, T> change, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dict);
        return Blocking.Wait(dict.UpdateAsync(key, change, cancellationToken));
    }

    /// <summary>As <see cref="SharedDict{T}.UpdateAsync(string, SharedLock, Func{T, T}, CancellationToken)"/>.</summary>
    public static T Update<T>(
        this SharedDict<T> dict, string key, SharedLock underLock, Func<T?, T> change, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dict);
        return Blocking.Wait(dict.UpdateAsync(key, underLock, change, cancellationToken));
    }

    /// <summary>As <see cref="SharedDict{T}.RemoveAsync(string, CancellationToken)"/>.</summary>
    public static void Remove<T>(this SharedDict<T> dict, string key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dict);
        Blocking.Wait(dict.RemoveAsync(key, cancellationToken));
    }

    /// <summary>As <see cref="SharedDict{T}.DeleteAsync(CancellationToken)"/>.</summary>
    public static void Delete<T>(this SharedDict<T> dict, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dict);
        Blocking.Wait(dict.DeleteAsync(cancellationToken));
    }

    /// <summary>As <see cref="SharedList{T}.AppendAsync(T, CancellationToken)"/>.</summary>
    public static long Append<T>(this SharedList<T> list, T item, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(list);
        return Blocking.Wait(list.AppendAsync(item, cancellationToken));
    }

    /// <summary>As <see cref="SharedList{T}.AppendAsync(T, UpdateGuard, CancellationToken)"/>.</summary>
    public static long Append<T>(this SharedList<T> list, T item, UpdateGuard guard, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(list);
        return Blocking.Wait(list.AppendAsync(item, guard, cancellationToken));
    }

    /// <summary>As <see cref="SharedList{T}.InsertAsync(long, T, CancellationToken)"/>.</summary>
    public static void Insert<T>(this SharedList<T> list, long index, T item, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(list);
        Blocking.Wait(list.InsertAsync(index, item, cancellationToken));
    }

    /// <summary>As <see cref="SharedList{T}.SetAsync(long, T, CancellationToken)"/>.</summary>
    public static void Set<T>(this SharedList<T> list, long index, T item, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(list);
        Blocking.Wait(list.SetAsync(index, item, cancellationToken));
    }

    /// <summary>As <see cref="SharedList{T}.PopAsync(long, CancellationToken)"/>.</summary>
    public static T Pop<T>(this SharedList<T> list, long index = -1, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(list);
        return Blocking.Wait(list.PopAsync(index, cancellationToken));
    }

    /// <summary>As <see cref="SharedList{T}.ReadAsync(long, long, CancellationToken)"/>.</summary>
    public static IReadOnlyList<T> Read<T>(
        this SharedList<T> list, long start = 0, long limit = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(list);
        return Blocking.Wait(list.ReadAsync(start, limit, cancellationToken));
    }

    /// <summary>As <see cref="SharedList{T}.ClearAsync(CancellationToken)"/>.</summary>
    public static void Clear<T>(this SharedList<T> list, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(list);
        Blocking.Wait(list.ClearAsync(cancellationToken));
    }

    /// <summary>As <see cref="SharedList{T}.DeleteAsync(CancellationToken)"/>.</summary>
    public static void Delete<T>(this SharedList<T> list, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(list);
        Blocking.Wait(list.DeleteAsync(cancellationToken));
    }
}
