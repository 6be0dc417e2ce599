using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>An array of numbers shared by every process that names it.</summary>
public sealed class SharedArray
{
    private readonly CoordinationSession _session;
    private readonly long _length;

    internal SharedArray(CoordinationSession session, string name, long length) => (_session, Name, _length) = (session, name, length);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Every change after a version, as <see cref="SharedDict.WatchAsync"/>.</summary>
    public IAsyncEnumerable<WatchStateResponse> WatchAsync(ulong afterVersion = 0, CancellationToken cancellationToken = default) =>
        _session.WatchAsync(StateKind.Array, Name, afterVersion, "", cancellationToken);

    /// <summary>Applies all edits or none; returns the resulting elements, in the order of the edits.</summary>
    public async Task<IReadOnlyList<Number>> UpdateAsync(
        IEnumerable<ArrayEdit> edits, Guard? guard = null, CancellationToken cancellationToken = default) =>
        (await _session.SendAsync(
            new Operation
            {
                UpdateArray = new UpdateArrayRequest
                {
                    Array = Name,
                    Length = _length,
                    Edits = { edits },
                    Guard = guard,
                    SessionId = _session.RequestSession
                }
            },
            cancellationToken).ConfigureAwait(false)).UpdateArray.After;

    /// <summary>A slice: a negative start counts from the end, a limit of 0 reads to the end.</summary>
    public async Task<ReadArrayResponse> ReadAsync(long start = 0, long limit = 0, CancellationToken cancellationToken = default) =>
        (await _session.SendAsync(new Operation { ReadArray = new ReadArrayRequest { Array = Name, Start = start, Limit = limit } },
            cancellationToken).ConfigureAwait(false)).ReadArray;
}
