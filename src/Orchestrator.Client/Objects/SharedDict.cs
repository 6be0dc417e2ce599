using Orchestrator.Client.Errors;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>A dict shared by every process that names it.</summary>
public sealed class SharedDict
{
    private readonly CoordinationSession _session;

    internal SharedDict(CoordinationSession session, string name) => (_session, Name) = (session, name);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Sets an entry.</summary>
    public Task SetAsync(string key, Payload value, CancellationToken cancellationToken = default) =>
        UpdateAsync([new DictEdit { Key = key, Set = value }], null, cancellationToken);

    /// <summary>An entry's value; null if the key is missing.</summary>
    public async Task<Payload?> GetAsync(string key, CancellationToken cancellationToken = default) =>
        (await _session.SendAsync(new Operation { ReadDict = new ReadDictRequest { Dict = Name, Keys = { key } } },
            cancellationToken).ConfigureAwait(false)).ReadDict.Entries.SingleOrDefault()?.Value;

    /// <summary>Adds to the entry's number, where a missing one is 0; returns the sum.</summary>
    /// <exception cref="OrchestratorException">With INVALID, if the entry is no number, or JSON cannot hold the sum exactly.</exception>
    public async Task<double> AddAsync(string key, double amount, CancellationToken cancellationToken = default) =>
        (await UpdateAsync([new DictEdit { Key = key, Add = amount }], null, cancellationToken)
            .ConfigureAwait(false)).Entries.Single().Value.Json.NumberValue;

    /// <summary>Sets an entry only if the key is missing; returns the entry's value, either the new or the existing one.</summary>
    public async Task<Payload> SetDefaultAsync(string key, Payload value, CancellationToken cancellationToken = default) =>
        (await UpdateAsync([new DictEdit { Key = key, SetDefault = value }], null, cancellationToken)
            .ConfigureAwait(false)).Entries.Single().Value;

    /// <summary>Every change after a version; a snapshot comes first if the changes after that version are no longer kept.</summary>
    /// <param name="afterVersion">The last version seen, to resume; 0 for all changes.</param>
    /// <param name="keyPrefix">Only keys with this prefix.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <exception cref="ResourceExhaustedException">The caller read too slowly; resume after the last version seen.</exception>
    public IAsyncEnumerable<WatchStateResponse> WatchAsync(
        ulong afterVersion = 0, string keyPrefix = "", CancellationToken cancellationToken = default) =>
        _session.WatchAsync(StateKind.Dict, Name, afterVersion, keyPrefix, cancellationToken);

    /// <summary>Removes an entry, if there is one.</summary>
    public Task RemoveAsync(string key, CancellationToken cancellationToken = default) =>
        UpdateAsync([new DictEdit { Key = key, Delete = true }], null, cancellationToken);

    /// <summary>Applies all edits or none; returns the dict's version and the resulting entries.</summary>
    /// <param name="edits">Applied in order: each edit sees the effect of the earlier ones.</param>
    /// <param name="guard">The precondition; the call fails with STALE if it does not hold.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<UpdateDictResponse> UpdateAsync(
        IEnumerable<DictEdit> edits, Guard? guard = null, CancellationToken cancellationToken = default) =>
        (await _session.SendAsync(
            new Operation
            {
                UpdateDict =
                new UpdateDictRequest { Dict = Name, Edits = { edits }, Guard = guard, SessionId = _session.RequestSession }
            },
            cancellationToken).ConfigureAwait(false)).UpdateDict;

    /// <summary>
    /// Computes an entry's new value from its current one, and retries if the dict has changed meanwhile; returns the new value.
    /// </summary>
    /// <param name="key">The entry.</param>
    /// <param name="change">Maps the current value, null if the key is missing, to the new one. It may be called more than once.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<Payload> UpdateAsync(string key, Func<Payload?, Payload> change, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        while (true)
        {
            // Both awaits return to the caller's context: the caller's code follows.
            var read = (await _session.SendAsync(
                new Operation { ReadDict = new ReadDictRequest { Dict = Name, Keys = { key } } }, cancellationToken)
                .ConfigureAwait(true)).ReadDict;
            var edit = new DictEdit { Key = key, Set = change(read.Entries.SingleOrDefault()?.Value) };
            try
            {
                return (await UpdateAsync([edit], new Guard { ExpectedVersion = read.Version }, cancellationToken)
                    .ConfigureAwait(true)).Entries.Single().Value;
            }
            catch (OrchestratorException exception) when (exception.Reason == ErrorReason.Stale)
            {
                // Another client's update succeeded first: one client always makes progress, so all never retry at once.
            }
        }
    }

    /// <summary>A page of the entries, in the order of insertion.</summary>
    /// <param name="pageToken">The last page's <see cref="ReadDictResponse.NextPageToken"/>; empty for the first.</param>
    /// <param name="keyPrefix">Only keys with this prefix.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<ReadDictResponse> ReadAsync(
        string pageToken = "", string keyPrefix = "", CancellationToken cancellationToken = default) =>
        (await _session.SendAsync(
            new Operation { ReadDict = new ReadDictRequest { Dict = Name, PageToken = pageToken, KeyPrefix = keyPrefix } },
            cancellationToken).ConfigureAwait(false)).ReadDict;
}
