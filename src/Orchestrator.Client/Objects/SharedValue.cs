using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>A number shared by every process that names it.</summary>
public sealed class SharedValue
{
    private readonly CoordinationSession _session;

    internal SharedValue(CoordinationSession session, string name) => (_session, Name) = (session, name);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Adds to the integer, where a missing one is 0; returns the sum.</summary>
    public async Task<long> AddAsync(long amount, CancellationToken cancellationToken = default) =>
        (await UpdateAsync(new NumberEdit { Add = new Number { Integer = amount } }, null, cancellationToken)
            .ConfigureAwait(false)).After.Integer;

    /// <summary>Sets the integer.</summary>
    public Task SetAsync(long value, CancellationToken cancellationToken = default) =>
        UpdateAsync(new NumberEdit { Set = new Number { Integer = value } }, null, cancellationToken);

    /// <summary>Sets the integer if it has the expected value; returns whether it had.</summary>
    public async Task<bool> CompareAndSetAsync(long expected, long value, CancellationToken cancellationToken = default) =>
        (await UpdateAsync(
            new NumberEdit
            {
                CompareAndSet =
                new CompareAndSet { Expected = new Number { Integer = expected }, Value = new Number { Integer = value } }
            },
            null,
            cancellationToken).ConfigureAwait(false)).Changed;

    /// <summary>The number; null if there is none yet.</summary>
    public async Task<Number?> ReadAsync(CancellationToken cancellationToken = default) =>
        (await _session.SendAsync(
            new Operation { ReadValue = new ReadValueRequest { Value = Name } }, cancellationToken)
                .ConfigureAwait(false)).ReadValue.Current;

    /// <summary>Every change after a version, as <see cref="SharedDict.WatchAsync"/>.</summary>
    public IAsyncEnumerable<WatchStateResponse> WatchAsync(ulong afterVersion = 0, CancellationToken cancellationToken = default) =>
        _session.WatchAsync(StateKind.Value, Name, afterVersion, "", cancellationToken);

    /// <summary>Applies any kind of edit.</summary>
    public async Task<UpdateValueResponse> UpdateAsync(
        NumberEdit edit, Guard? guard = null, CancellationToken cancellationToken = default) =>
        (await _session.SendAsync(
            new Operation
            {
                UpdateValue =
                new UpdateValueRequest { Value = Name, Edit = edit, Guard = guard, SessionId = _session.RequestSession }
            },
            cancellationToken).ConfigureAwait(false)).UpdateValue;
}
