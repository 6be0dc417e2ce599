using System.Numerics;
using System.Runtime.CompilerServices;
using Orchestrator.Client.Errors;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>An array of numbers shared by every process that names it.</summary>
/// <typeparam name="T"><c>long</c>, <c>int</c>, <c>double</c> or <c>float</c>.</typeparam>
public class SharedArray<T>
    where T : struct, INumber<T>
{
    private readonly CoordinationSession _session;
    private readonly long _length;
    private readonly DurabilityLevel _durability;

    internal SharedArray(CoordinationSession session, string name, long length, DurabilityLevel durability)
    {
        NumberCodec<T>.EnsureSupported();
        (_session, Name, _length, _durability) = (session, name, length, durability);
    }

    /// <summary>For a fake: override what the program uses; the other members throw <see cref="NotSupportedException"/>.</summary>
    protected SharedArray(string name)
        : this(null!, name, 0, DurabilityLevel.Default)
    {
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Adds to an element; returns the sum.</summary>
    public virtual Task<T> AddAsync(long index, T amount, CancellationToken cancellationToken = default) =>
        Real().ApplyAsync(index, new NumberEdit { Add = NumberCodec<T>.Encode(amount) }, null, cancellationToken);

    /// <summary>Sets an element.</summary>
    public virtual Task SetAsync(long index, T value, CancellationToken cancellationToken = default) =>
        Real().ApplyAsync(index, new NumberEdit { Set = NumberCodec<T>.Encode(value) }, null, cancellationToken);

    /// <summary>Sets an element if the precondition holds.</summary>
    /// <exception cref="OrchestratorException">With STALE, if it does not.</exception>
    public virtual Task SetAsync(long index, T value, UpdateGuard guard, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(guard);
        return Real().ApplyAsync(index, new NumberEdit { Set = NumberCodec<T>.Encode(value) }, guard.ToMessage(), cancellationToken);
    }

    /// <summary>A slice: a negative start counts from the end, a limit of 0 reads to the end.</summary>
    /// <exception cref="OverflowException">An element does not fit.</exception>
    public virtual async Task<IReadOnlyList<T>> ReadAsync(
        long start = 0, long limit = 0, CancellationToken cancellationToken = default) =>
        [.. (await Real().SliceAsync(start, limit, cancellationToken).ConfigureAwait(false)).Values.Select(NumberCodec<T>.Decode)];

    /// <summary>Deletes the array.</summary>
    public virtual Task DeleteAsync(CancellationToken cancellationToken = default) =>
        Real()._session.Services.DeleteAsync(StateKind.Array, Name, cancellationToken);

    /// <summary>This object; not a fake, which must override the member that is called.</summary>
    private SharedArray<T> Real([CallerMemberName] string member = "")
    {
        FakeMember.ThrowIfNull(_session, this, member);
        return this;
    }

    internal void ThrowIfFake([CallerMemberName] string member = "") => FakeMember.ThrowIfContract(_session, this, member);

    internal IAsyncEnumerable<WatchStateResponse> FollowAsync(ulong afterVersion, CancellationToken cancellationToken) =>
        _session.WatchAsync(StateKind.Array, Name, afterVersion, "", cancellationToken);

    internal async Task<IReadOnlyList<Number>> EditAsync(
        IEnumerable<ArrayEdit> edits, Guard? guard, CancellationToken cancellationToken) =>
        (await _session.SendAsync(
            new Operation
            {
                UpdateArray = new UpdateArrayRequest
                {
                    Array = Name,
                    Length = _length,
                    Edits = { edits },
                    Guard = guard,
                    SessionId = _session.RequestSession,
                    Durability = (Durability)_durability,
                },
            },
            cancellationToken).ConfigureAwait(false)).UpdateArray.After;

    internal async Task<ReadArrayResponse> SliceAsync(long start, long limit, CancellationToken cancellationToken) =>
        (await _session.SendAsync(new Operation { ReadArray = new ReadArrayRequest { Array = Name, Start = start, Limit = limit } },
            cancellationToken).ConfigureAwait(false)).ReadArray;

    private async Task<T> ApplyAsync(long index, NumberEdit edit, Guard? guard, CancellationToken cancellationToken) =>
        NumberCodec<T>.Decode(
            (await EditAsync([new ArrayEdit { Index = index, Edit = edit }], guard, cancellationToken).ConfigureAwait(false)).Single());
}
