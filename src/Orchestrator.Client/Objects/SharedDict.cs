using System.Runtime.CompilerServices;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>A dict with string keys, shared by every process that names it.</summary>
/// <typeparam name="T">The values.</typeparam>
public class SharedDict<T>
{
    private readonly CoordinationSession _session;
    private readonly ValueCodec<T> _codec;
    private readonly DurabilityLevel _durability;

    internal SharedDict(CoordinationSession session, string name, ValueCodec<T> codec, DurabilityLevel durability) =>
        (_session, Name, _codec, _durability) = (session, name, codec, durability);

    /// <summary>For a fake: override what the program uses; the other members throw <see cref="NotSupportedException"/>.</summary>
    protected SharedDict(string name)
        : this(null!, name, null!, DurabilityLevel.Default)
    {
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Sets an entry.</summary>
    public virtual Task SetAsync(string key, T value, CancellationToken cancellationToken = default) =>
        Real().EditAsync([new DictEdit { Key = key, Set = _codec.Encode(value) }], null, cancellationToken);

    /// <summary>Sets an entry if the precondition holds.</summary>
    /// <exception cref="OrchestratorException">With STALE, if it does not.</exception>
    public virtual Task SetAsync(string key, T value, UpdateGuard guard, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(guard);
        return Real().EditAsync([new DictEdit { Key = key, Set = _codec.Encode(value) }], guard.ToMessage(), cancellationToken);
    }

    /// <summary>
    /// An entry's value; the default of <typeparamref name="T"/> if the key is missing, which <see cref="FindAsync"/> tells from a value.
    /// </summary>
    public virtual async Task<T?> GetAsync(string key, CancellationToken cancellationToken = default) =>
        (await Real().ReadKeyAsync(key, cancellationToken).ConfigureAwait(false)).Entries.SingleOrDefault() is { } entry
            ? Decode(entry.Value)
            : default;

    /// <summary>An entry with its version; null if the key is missing.</summary>
    public virtual async Task<DictItem<T>?> FindAsync(string key, CancellationToken cancellationToken = default)
    {
        var read = await Real().ReadKeyAsync(key, cancellationToken).ConfigureAwait(false);
        return read.Entries.SingleOrDefault() is { } entry ? ToItem(entry, read.Version) : null;
    }

    /// <summary>Adds to the entry's number, where a missing one is 0; returns the sum.</summary>
    /// <exception cref="OrchestratorException">With INVALID, if the entry is no number, or JSON cannot hold the sum exactly.</exception>
    public virtual async Task<double> AddAsync(string key, double amount, CancellationToken cancellationToken = default) =>
        (await Real().EditAsync([new DictEdit { Key = key, Add = amount }], null, cancellationToken)
            .ConfigureAwait(false)).Entries.Single().Value.Json.NumberValue;

    /// <summary>Sets an entry only if the key is missing; returns the entry's value, either the new or the existing one.</summary>
    public virtual async Task<T> SetDefaultAsync(string key, T value, CancellationToken cancellationToken = default) =>
        Decode((await Real().EditAsync([new DictEdit { Key = key, SetDefault = _codec.Encode(value) }], null, cancellationToken)
            .ConfigureAwait(false)).Entries.Single().Value);

    /// <summary>Removes an entry, if there is one.</summary>
    public virtual Task RemoveAsync(string key, CancellationToken cancellationToken = default) =>
        Real().EditAsync([new DictEdit { Key = key, Delete = true }], null, cancellationToken);

    /// <summary>
    /// Computes an entry's new value from its current one, and retries if the dict has changed meanwhile; returns the new value.
    /// </summary>
    /// <param name="key">The entry.</param>
    /// <param name="change">Maps the current value, the default of <typeparamref name="T"/> if the key is missing, to the new one. It may
    /// be called more than once.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public virtual async Task<T> UpdateAsync(string key, Func<T?, T> change, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        while (true)
        {
            // Both awaits return to the caller's context: the caller's code follows.
            var read = await Real().ReadKeyAsync(key, cancellationToken).ConfigureAwait(true);
            var current = read.Entries.SingleOrDefault();
            var edit = new DictEdit { Key = key, Set = _codec.Encode(change(current is null ? default : Decode(current.Value))) };
            try
            {
                return Decode((await EditAsync([edit], new Guard { ExpectedVersion = read.Version }, cancellationToken)
                    .ConfigureAwait(true)).Entries.Single().Value);
            }
            catch (OrchestratorException exception) when (exception.Reason == FailureReason.Stale)
            {
                // Another client's update succeeded first: one client always makes progress, so all never retry at once.
            }
        }
    }

    /// <summary>
    /// Computes an entry's new value from its current one under a lock, in two round trips: acquire and read; write and release. Returns
    /// the new value. Use it for what several changes under one lock have in common; for a single entry,
    /// <see cref="UpdateAsync(string, Func{T, T}, CancellationToken)"/> needs no lock.
    /// </summary>
    /// <param name="key">The entry.</param>
    /// <param name="underLock">
    /// The lock, of the same session. It is released before this returns or throws, in the way in which <see cref="LockHold"/> is disposed.
    /// The write is refused if the lock was lost.
    /// </param>
    /// <param name="change">Maps the current value, the default of <typeparamref name="T"/> if the key is missing, to the new one. It is
    /// called once, and should be short: the lock is held meanwhile.</param>
    /// <param name="cancellationToken">Gives up the wait for the lock.</param>
    /// <exception cref="DeadlockException">The wait for the lock would have closed a cycle.</exception>
    /// <exception cref="SessionLostException">The session has ended.</exception>
    /// <exception cref="OrchestratorException">With STALE, if the lock was lost meanwhile.</exception>
    public virtual Task<T> UpdateAsync(
        string key, SharedLock underLock, Func<T?, T> change, CancellationToken cancellationToken = default)
    {
        var session = Real()._session;
        ArgumentNullException.ThrowIfNull(underLock);
        ArgumentNullException.ThrowIfNull(change);
        if (session != underLock.Session)
            throw new ArgumentException("the lock is one of another session than the dict's; take both from one", nameof(underLock));
        var read = new Operation { ReadDict = new ReadDictRequest { Dict = Name, Keys = { key } } };
        return LockedUpdate.RunAsync(underLock, read, Apply, cancellationToken);

        (Operation Write, T Value) Apply(Outcome was, Guard guard)
        {
            var current = was.ReadDict.Entries.SingleOrDefault();
            var value = change(current is null ? default : Decode(current.Value));
            return (ToEdit([new DictEdit { Key = key, Set = _codec.Encode(value) }], guard), value);
        }
    }

    /// <summary>The entries, in the order of insertion; they may change while they are read.</summary>
    /// <param name="keyPrefix">Only keys with this prefix, in the ordinal order of the keys; empty for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public virtual async IAsyncEnumerable<DictItem<T>> ReadAllAsync(
        string keyPrefix = "", [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var token = "";
        do
        {
            var page = await Real().PageAsync(token, keyPrefix, cancellationToken).ConfigureAwait(false);
            foreach (var entry in page.Entries)
                yield return ToItem(entry, page.Version);
            token = page.NextPageToken;
        }
        while (token.Length > 0);
    }

    /// <summary>Every change after a version; a snapshot comes first if the changes after that version are no longer kept.</summary>
    /// <param name="afterVersion">The last version seen, to resume; 0 for all changes.</param>
    /// <param name="keyPrefix">Only keys with this prefix.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <exception cref="ResourceExhaustedException">The caller read too slowly; resume after the last version seen.</exception>
    public virtual async IAsyncEnumerable<DictChange<T>> WatchAsync(
        ulong afterVersion = 0, string keyPrefix = "", [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var change in Real().FollowAsync(afterVersion, keyPrefix, cancellationToken).ConfigureAwait(false))
        {
            yield return change.ChangeCase switch
            {
                WatchStateResponse.ChangeOneofCase.DictSet => new DictChange<T>(
                    change.Version, change.Snapshot, DictChangeKind.Set, change.DictSet.Key, Decode(change.DictSet.Value)),
                WatchStateResponse.ChangeOneofCase.DictDeletedKey => new DictChange<T>(
                    change.Version, change.Snapshot, DictChangeKind.Removed, change.DictDeletedKey, default),
                _ => new DictChange<T>(change.Version, change.Snapshot, DictChangeKind.Deleted, "", default),
            };
        }
    }

    /// <summary>Deletes the dict.</summary>
    public virtual Task DeleteAsync(CancellationToken cancellationToken = default) =>
        Real()._session.Services.DeleteAsync(StateKind.Dict, Name, cancellationToken);

    /// <summary>This object; not a fake, which must override the member that is called.</summary>
    private SharedDict<T> Real([CallerMemberName] string member = "")
    {
        FakeMember.ThrowIfNull(_session, this, member);
        return this;
    }

    internal void ThrowIfFake([CallerMemberName] string member = "") => FakeMember.ThrowIfContract(_session, this, member);

    internal IAsyncEnumerable<WatchStateResponse> FollowAsync(
        ulong afterVersion, string keyPrefix, CancellationToken cancellationToken) =>
        _session.WatchAsync(StateKind.Dict, Name, afterVersion, keyPrefix, cancellationToken);

    internal async Task<UpdateDictResponse> EditAsync(
        IEnumerable<DictEdit> edits, Guard? guard, CancellationToken cancellationToken) =>
        (await _session.SendAsync(ToEdit(edits, guard), cancellationToken).ConfigureAwait(false)).UpdateDict;

    private Operation ToEdit(IEnumerable<DictEdit> edits, Guard? guard) => new()
    {
        UpdateDict = new UpdateDictRequest
        {
            Dict = Name,
            Edits = { edits },
            Guard = guard,
            SessionId = _session.RequestSession,
            Durability = (Durability)_durability,
        },
    };

    internal async Task<ReadDictResponse> PageAsync(string pageToken, string keyPrefix, CancellationToken cancellationToken) =>
        (await _session.SendAsync(
            new Operation { ReadDict = new ReadDictRequest { Dict = Name, PageToken = pageToken, KeyPrefix = keyPrefix } },
            cancellationToken).ConfigureAwait(false)).ReadDict;

    private async Task<ReadDictResponse> ReadKeyAsync(string key, CancellationToken cancellationToken) =>
        (await _session.SendAsync(new Operation { ReadDict = new ReadDictRequest { Dict = Name, Keys = { key } } },
            cancellationToken).ConfigureAwait(false)).ReadDict;

    private DictItem<T> ToItem(DictEntry entry, ulong version) => new(entry.Key, Decode(entry.Value), entry.Version, version);

    private T Decode(Payload payload) => _codec.Decode(payload, "dict", Name);
}
