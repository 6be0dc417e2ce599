using System.Runtime.CompilerServices;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>A list shared by every process that names it.</summary>
/// <typeparam name="T">The elements.</typeparam>
public class SharedList<T>
{
    private readonly CoordinationSession _session;
    private readonly ValueCodec<T> _codec;
    private readonly DurabilityLevel _durability;

    internal SharedList(CoordinationSession session, string name, ValueCodec<T> codec, DurabilityLevel durability) =>
        (_session, Name, _codec, _durability) = (session, name, codec, durability);

    /// <summary>For a fake: override what the program uses; the other members throw <see cref="NotSupportedException"/>.</summary>
    protected SharedList(string name)
        : this(null!, name, null!, DurabilityLevel.Default)
    {
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Adds an element at the end; returns the new length.</summary>
    public virtual async Task<long> AppendAsync(T value, CancellationToken cancellationToken = default) =>
        (await Real().EditAsync([new ListEdit { Append = _codec.Encode(value) }], null, cancellationToken).ConfigureAwait(false)).Count;

    /// <summary>Adds an element at the end if the precondition holds; returns the new length.</summary>
    /// <exception cref="OrchestratorException">With STALE, if it does not.</exception>
    public virtual async Task<long> AppendAsync(T value, UpdateGuard guard, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(guard);
        return (await Real().EditAsync([new ListEdit { Append = _codec.Encode(value) }], guard.ToMessage(), cancellationToken)
            .ConfigureAwait(false)).Count;
    }

    /// <summary>Removes and returns the element at an index; a negative index counts from the end: −1 is the last.</summary>
    public virtual async Task<T> PopAsync(long index = -1, CancellationToken cancellationToken = default) =>
        Decode((await Real().EditAsync([new ListEdit { Pop = index }], null, cancellationToken).ConfigureAwait(false)).Popped.Single());

    /// <summary>Inserts an element before an index.</summary>
    public virtual Task InsertAsync(long index, T value, CancellationToken cancellationToken = default) =>
        Real().EditAsync(
            [new ListEdit { Insert = new ListInsert { Index = index, Value = _codec.Encode(value) } }], null, cancellationToken);

    /// <summary>Replaces the element at an index.</summary>
    public virtual Task SetAsync(long index, T value, CancellationToken cancellationToken = default) =>
        Real().EditAsync([new ListEdit { Set = new ListSet { Index = index, Value = _codec.Encode(value) } }], null, cancellationToken);

    /// <summary>Removes all elements.</summary>
    public virtual Task ClearAsync(CancellationToken cancellationToken = default) =>
        Real().EditAsync([new ListEdit { Clear = true }], null, cancellationToken);

    /// <summary>A slice, as in Python: a negative start counts from the end, a limit of 0 reads to the end.</summary>
    public virtual async Task<IReadOnlyList<T>> ReadAsync(
        long start = 0, long limit = 0, CancellationToken cancellationToken = default) =>
        [.. (await Real().SliceAsync(start, limit, cancellationToken).ConfigureAwait(false)).Values.Select(Decode)];

    /// <summary>Deletes the list.</summary>
    public virtual Task DeleteAsync(CancellationToken cancellationToken = default) =>
        Real()._session.Services.DeleteAsync(StateKind.List, Name, cancellationToken);

    /// <summary>This object; not a fake, which must override the member that is called.</summary>
    private SharedList<T> Real([CallerMemberName] string member = "")
    {
        FakeMember.ThrowIfNull(_session, this, member);
        return this;
    }

    internal void ThrowIfFake([CallerMemberName] string member = "") => FakeMember.ThrowIfContract(_session, this, member);

    internal IAsyncEnumerable<WatchStateResponse> FollowAsync(ulong afterVersion, CancellationToken cancellationToken) =>
        _session.WatchAsync(StateKind.List, Name, afterVersion, "", cancellationToken);

    internal async Task<UpdateListResponse> EditAsync(
        IEnumerable<ListEdit> edits, Guard? guard, CancellationToken cancellationToken) =>
        (await _session.SendAsync(
            new Operation
            {
                UpdateList = new UpdateListRequest
                {
                    List = Name,
                    Edits = { edits },
                    Guard = guard,
                    SessionId = _session.RequestSession,
                    Durability = (Durability)_durability,
                },
            },
            cancellationToken).ConfigureAwait(false)).UpdateList;

    internal async Task<ReadListResponse> SliceAsync(long start, long limit, CancellationToken cancellationToken) =>
        (await _session.SendAsync(
            new Operation { ReadList = new ReadListRequest { List = Name, Start = start, Limit = limit } }, cancellationToken)
                .ConfigureAwait(false)).ReadList;

    private T Decode(Payload payload) => _codec.Decode(payload, "list", Name);
}
