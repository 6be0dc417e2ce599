using System.Numerics;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Objects;

namespace Orchestrator.Client.Synchronous;

/// <summary>Shared values and arrays for code that cannot wait asynchronously: each method holds its thread until the answer.</summary>
/// <remarks>Errors are those of the asynchronous methods. Safe on any thread, also one with a synchronization context.</remarks>
public static class SynchronousNumbers
{
    /// <summary>As <see cref="SharedValue{T}.ReadAsync(CancellationToken)"/>.</summary>
    public static T? Read<T>(this SharedValue<T> value, CancellationToken cancellationToken = default)
        where T : struct, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(value);
        return Blocking.Wait(value.ReadAsync(cancellationToken));
    }

    /// <summary>As <see cref="SharedValue{T}.SetAsync(T, CancellationToken)"/>.</summary>
    public static void Set<T>(this SharedValue<T> value, T number, CancellationToken cancellationToken = default)
        where T : struct, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(value);
        Blocking.Wait(value.SetAsync(number, cancellationToken));
    }

    /// <summary>As <see cref="SharedValue{T}.SetAsync(T, UpdateGuard, CancellationToken)"/>.</summary>
    public static void Set<T>(this SharedValue<T> value, T number, UpdateGuard guard, CancellationToken cancellationToken = default)
        where T : struct, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(value);
        Blocking.Wait(value.SetAsync(number, guard, cancellationToken));
    }

    /// <summary>As <see cref="SharedValue{T}.AddAsync(T, CancellationToken)"/>.</summary>
    public static T Add<T>(this SharedValue<T> value, T amount, CancellationToken cancellationToken = default)
        where T : struct, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(value);
        return Blocking.Wait(value.AddAsync(amount, cancellationToken));
    }

    /// <summary>As <see cref="SharedValue{T}.CompareAndSetAsync(T, T, CancellationToken)"/>.</summary>
    public static bool CompareAndSet<T>(this SharedValue<T> value, T expected, T number, CancellationToken cancellationToken = default)
        where T : struct, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(value);
        return Blocking.Wait(value.CompareAndSetAsync(expected, number, cancellationToken));
    }

    /// <summary>As <see cref="SharedValue{T}.RaiseToAsync(T, CancellationToken)"/>.</summary>
    public static T RaiseTo<T>(this SharedValue<T> value, T number, CancellationToken cancellationToken = default)
        where T : struct, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(value);
        return Blocking.Wait(value.RaiseToAsync(number, cancellationToken));
    }

    /// <summary>As <see cref="SharedValue{T}.LowerToAsync(T, CancellationToken)"/>.</summary>
    public static T LowerTo<T>(this SharedValue<T> value, T number, CancellationToken cancellationToken = default)
        where T : struct, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(value);
        return Blocking.Wait(value.LowerToAsync(number, cancellationToken));
    }

    /// <summary>As <see cref="SharedValue{T}.DeleteAsync(CancellationToken)"/>.</summary>
    public static void Delete<T>(this SharedValue<T> value, CancellationToken cancellationToken = default)
        where T : struct, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(value);
        Blocking.Wait(value.DeleteAsync(cancellationToken));
    }

    /// <summary>As <see cref="SharedArray{T}.ReadAsync(long, long, CancellationToken)"/>.</summary>
    public static IReadOnlyList<T> Read<T>(
        this SharedArray<T> array, long start = 0, long limit = 0, CancellationToken cancellationToken = default)
        where T : struct, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(array);
        return Blocking.Wait(array.ReadAsync(start, limit, cancellationToken));
    }

    /// <summary>As <see cref="SharedArray{T}.SetAsync(long, T, CancellationToken)"/>.</summary>
    public static void Set<T>(this SharedArray<T> array, long index, T number, CancellationToken cancellationToken = default)
        where T : struct, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(array);
        Blocking.Wait(array.SetAsync(index, number, cancellationToken));
    }

    /// <summary>As <see cref="SharedArray{T}.SetAsync(long, T, UpdateGuard, CancellationToken)"/>.</summary>
    public static void Set<T>(
        this SharedArray<T> array, long index, T number, UpdateGuard guard, CancellationToken cancellationToken = default)
        where T : struct, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(array);
        Blocking.Wait(array.SetAsync(index, number, guard, cancellationToken));
    }

    /// <summary>As <see cref="SharedArray{T}.AddAsync(long, T, CancellationToken)"/>.</summary>
    public static T Add<T>(this SharedArray<T> array, long index, T amount, CancellationToken cancellationToken = default)
        where T : struct, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(array);
        return Blocking.Wait(array.AddAsync(index, amount, cancellationToken));
    }

    /// <summary>As <see cref="SharedArray{T}.DeleteAsync(CancellationToken)"/>.</summary>
    public static void Delete<T>(this SharedArray<T> array, CancellationToken cancellationToken = default)
        where T : struct, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(array);
        Blocking.Wait(array.DeleteAsync(cancellationToken));
    }
}
