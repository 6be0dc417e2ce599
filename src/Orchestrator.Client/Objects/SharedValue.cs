using System.Numerics;
using System.Runtime.CompilerServices;
using Orchestrator.Client.Errors;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>A number shared by every process that names it.</summary>
/// <typeparam name="T"><c>long</c>, <c>int</c>, <c>double</c> or <c>float</c>.</typeparam>
public class SharedValue<T>
    where T : struct, INumber<T>
{
    private readonly CoordinationSession _session;
    private readonly DurabilityLevel _durability;

    internal SharedValue(CoordinationSession session, string name, DurabilityLevel durability)
    {
        NumberCodec<T>.EnsureSupported();
        (_session, Name, _durability) = (session, name, durability);
    }

    /// <summary>For a fake: override what the program uses; the other members throw <see cref="NotSupportedException"/>.</summary>
    protected SharedValue(string name)
        : this(null!, name, DurabilityLevel.Default)
    {
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Adds to the number, where a missing one is 0; returns the sum.</summary>
    public virtual Task<T> AddAsync(T amount, CancellationToken cancellationToken = default) =>
        Real().ApplyAsync(new NumberEdit { Add = NumberCodec<T>.Encode(amount) }, cancellationToken);

    /// <summary>Sets the number.</summary>
    public virtual Task SetAsync(T value, CancellationToken cancellationToken = default) =>
        Real().EditAsync(new NumberEdit { Set = NumberCodec<T>.Encode(value) }, null, cancellationToken);

    /// <summary>Sets the number if the precondition holds.</summary>
    /// <exception cref="OrchestratorException">With STALE, if it does not.</exception>
    public virtual Task SetAsync(T value, UpdateGuard guard, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(guard);
        return Real().EditAsync(new NumberEdit { Set = NumberCodec<T>.Encode(value) }, guard.ToMessage(), cancellationToken);
    }

    /// <summary>Sets the number if it has the expected value; returns whether it had.</summary>
    public virtual async Task<bool> CompareAndSetAsync(T expected, T value, CancellationToken cancellationToken = default)
    {
        var edit = new CompareAndSet { Expected = NumberCodec<T>.Encode(expected), Value = NumberCodec<T>.Encode(value) };
        return (await Real().EditAsync(new NumberEdit { CompareAndSet = edit }, null, cancellationToken).ConfigureAwait(false)).Changed;
    }

    /// <summary>Lowers the number to <paramref name="value"/> if it is larger; returns the number then.</summary>
    public virtual Task<T> LowerToAsync(T value, CancellationToken cancellationToken = default) =>
        Real().ApplyAsync(new NumberEdit { Min = NumberCodec<T>.Encode(value) }, cancellationToken);

    /// <summary>Raises the number to <paramref name="value"/> if it is smaller; returns the number then.</summary>
    public virtual Task<T> RaiseToAsync(T value, CancellationToken cancellationToken = default) =>
        Real().ApplyAsync(new NumberEdit { Max = NumberCodec<T>.Encode(value) }, cancellationToken);

    /// <summary>The number; null before it is first set.</summary>
    /// <exception cref="OverflowException">It does not fit.</exception>
    public virtual async Task<T?> ReadAsync(CancellationToken cancellationToken = default) =>
        await Real().GetAsync(cancellationToken).ConfigureAwait(false) is { } number ? NumberCodec<T>.Decode(number) : null;

    /// <summary>Every change after a version.</summary>
    /// <param name="afterVersion">The last version seen, to resume; 0 for all changes that are kept.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <exception cref="ResourceExhaustedException">The caller read too slowly; resume after the last version seen.</exception>
    public virtual async IAsyncEnumerable<ValueChange<T>> WatchAsync(
        ulong afterVersion = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var change in Real().FollowAsync(afterVersion, cancellationToken).ConfigureAwait(false))
        {
            yield return new ValueChange<T>(
                change.Version,
                change.ChangeCase == WatchStateResponse.ChangeOneofCase.Value ? NumberCodec<T>.Decode(change.Value) : null);
        }
    }

    /// <summary>Deletes the number.</summary>
    public virtual Task DeleteAsync(CancellationToken cancellationToken = default) =>
        Real()._session.Services.DeleteAsync(StateKind.Value, Name, cancellationToken);

    /// <summary>This object; not a fake, which must override the member that is called.</summary>
    private SharedValue<T> Real([CallerMemberName] string member = "")
    {
        FakeMember.ThrowIfNull(_session, this, member);
        return this;
    }

    internal void ThrowIfFake([CallerMemberName] string member = "") => FakeMember.ThrowIfContract(_session, this, member);

    internal async Task<Number?> GetAsync(CancellationToken cancellationToken) =>
        (await _session.SendAsync(
            new Operation { ReadValue = new ReadValueRequest { Value = Name } }, cancellationToken)
                .ConfigureAwait(false)).ReadValue.Current;

    internal IAsyncEnumerable<WatchStateResponse> FollowAsync(ulong afterVersion, CancellationToken cancellationToken) =>
        _session.WatchAsync(StateKind.Value, Name, afterVersion, "", cancellationToken);

    internal async Task<UpdateValueResponse> EditAsync(NumberEdit edit, Guard? guard, CancellationToken cancellationToken) =>
        (await _session.SendAsync(ToOperation(edit, guard), cancellationToken).ConfigureAwait(false)).UpdateValue;

    // Not by EditAsync: each asynchronous method on the way costs a counter some per cent.
    private async Task<T> ApplyAsync(NumberEdit edit, CancellationToken cancellationToken) =>
        NumberCodec<T>.Decode(
            (await _session.SendAsync(ToOperation(edit, null), cancellationToken).ConfigureAwait(false)).UpdateValue.After);

    private Operation ToOperation(NumberEdit edit, Guard? guard) => new()
    {
        UpdateValue = new UpdateValueRequest
        {
            Value = Name,
            Edit = edit,
            Guard = guard,
            SessionId = _session.RequestSession,
            Durability = (Durability)_durability,
        },
    };
}
