using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>A list shared by every process that names it.</summary>
public sealed class SharedList
{
    private readonly CoordinationSession _session;

    internal SharedList(CoordinationSession session, string name) => (_session, Name) = (session, name);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Adds an element at the end; returns the new length.</summary>
    public async Task<long> AppendAsync(Payload value, CancellationToken cancellationToken = default) =>
        (await UpdateAsync([new ListEdit { Append = value }], null, cancellationToken).ConfigureAwait(false)).Count;

    /// <summary>Removes and returns the element at an index; a negative index counts from the end: −1 is the last.</summary>
    public async Task<Payload> PopAsync(long index = -1, CancellationToken cancellationToken = default) =>
        (await UpdateAsync([new ListEdit { Pop = index }], null, cancellationToken).ConfigureAwait(false)).Popped.Single();

    /// <summary>Every change after a version, as <see cref="SharedDict.WatchAsync"/>.</summary>
    public IAsyncEnumerable<WatchStateResponse> WatchAsync(ulong afterVersion = 0, CancellationToken cancellationToken = default) =>
        _session.WatchAsync(StateKind.List, Name, afterVersion, "", cancellationToken);

    /// <summary>Applies all edits or none.</summary>
    public async Task<UpdateListResponse> UpdateAsync(
        IEnumerable<ListEdit> edits, Guard? guard = null, CancellationToken cancellationToken = default) =>
        (await _session.SendAsync(
            new Operation
            {
                UpdateList =
                new UpdateListRequest { List = Name, Edits = { edits }, Guard = guard, SessionId = _session.RequestSession }
            },
            cancellationToken).ConfigureAwait(false)).UpdateList;

    /// <summary>A slice, as in Python: a negative start counts from the end, a limit of 0 reads to the end.</summary>
    public async Task<ReadListResponse> ReadAsync(long start = 0, long limit = 0, CancellationToken cancellationToken = default) =>
        (await _session.SendAsync(
            new Operation { ReadList = new ReadListRequest { List = Name, Start = start, Limit = limit } }, cancellationToken)
                .ConfigureAwait(false)).ReadList;
}
