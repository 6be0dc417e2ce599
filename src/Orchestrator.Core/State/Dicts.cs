using System.Globalization;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.State;

/// <summary>Updates and reads of dicts.</summary>
internal sealed class Dicts(IPrimitiveContext context, StateOptions options, int largestValue, StateTable table)
{
    private readonly DictDraft _draft = new();

    /// <summary>Entries of a dict: a <see cref="DictPage"/>, or an INVALID <see cref="ObjectError"/>.</summary>
    /// <param name="query">The keys or page to read.</param>
    /// <param name="now">The time: entries that have expired by then are missing.</param>
    public ObjectOutcome Read(DictQuery query, long now)
    {
        if (ObjectQuota.ValidateName(ObjectKind.Dict, query.Dict) is { } wrong)
            return wrong;
        var dict = table.Dicts.Find(query.Dict);
        return query.Keys.Count > 0 ? ReadKeys(dict, query, now) : ReadPage(dict, query, now);
    }

    public void Update(UpdateDict command)
    {
        var dict = table.Dicts.Find(command.Dict);
        var wrong = table.ValidateUpdate(command, ObjectKind.Dict, command.Dict, dict);
        if (wrong is null && command is { Clear: false, Edits.Count: 0 })
            wrong = ObjectError.Invalid("edits", "an update must have at least one edit, or clear");
        wrong ??= Draft(dict, command);
        if (wrong is not null)
        {
            context.Complete(command, wrong);
            return;
        }

        var changes = Commit(ref dict, command);
        context.Complete(command, new UpdateDictOutcome(dict?.Version ?? 0, ReadBack(dict, command.Edits)));
        if (changes)
            table.Wake(dict!);
    }

    public void OnExpired(DictState dict, DictEntry entry)
    {
        dict.Delete(entry, context);
        table.Wake(dict);
    }

    /// <summary>Evaluates the edits without changing anything.</summary>
    private ObjectError? Draft(DictState? dict, UpdateDict command)
    {
        _draft.Begin(dict, command.Clear, context.Now);
        for (var i = 0; i < command.Edits.Count; i++)
        {
            var edit = command.Edits[i];
            if ((ValidateEdit(edit, i) ?? Draft(edit, i)) is { } wrong)
                return wrong;
        }

        if (_draft.Count > options.MaxEntries && _draft.Count > (dict?.Count ?? 0))
        {
            return StateTable.Limit(
                ObjectKind.Dict, $"dict \"{command.Dict}\" would have {_draft.Count} entries, and may have {options.MaxEntries}");
        }

        return table.ValidateBytes(
            ObjectKind.Dict, command.Dict, dict?.Bytes ?? 0, _draft.Bytes, (_draft.Count - (dict?.Count ?? 0)) * DictState.EntryBytes);
    }

    private ObjectError? Draft(DictEdit edit, int index)
    {
        var current = _draft.Find(edit.Key);
        switch (edit.Operation)
        {
            case DictOperation.Set:
                _draft.Set(edit.Key, edit.Value, edit.Ttl, keepsTtl: false);
                return null;
            case DictOperation.SetDefault:
                if (current is null)
                    _draft.Set(edit.Key, edit.Value, edit.Ttl, keepsTtl: false);
                return null;
            case DictOperation.Delete:
                if (current is not null)
                    _draft.Delete(edit.Key);
                return null;
        }

        if (options.ValueEditor is not { } editor)
            return ObjectError.Invalid($"edits[{index}]", $"{edit.Operation} is not supported here: the host knows no JSON values");
        var result = edit.Operation switch
        {
            DictOperation.Add => editor.Add(current, edit.Amount),
            DictOperation.SetPath => editor.SetPath(current, edit.Path, edit.Value),
            _ => editor.Append(current, edit.Value),
        };
        if (result.Error is { } error)
            return ObjectError.Invalid($"edits[{index}]", $"key \"{ObjectError.Shorten(edit.Key)}\": {error}");
        // One edit after another may make a value that no client could read in one message.
        if (result.Value.Bytes > largestValue)
        {
            return new ObjectError(
                ObjectErrorReason.LimitExceeded,
                $"key \"{ObjectError.Shorten(edit.Key)}\" would have a value of {result.Value.Bytes:N0} bytes; the limit (payload_bytes) " +
                $"is {largestValue:N0}: use several keys or a list, or raise the limit (--max-payload)")
            {
                Field = $"edits[{index}]",
            };
        }

        _draft.Set(edit.Key, result.Value, edit.Ttl, keepsTtl: true);
        return null;
    }

    private bool Commit(ref DictState? dict, UpdateDict command)
    {
        if (_draft.Changes.Count == 0 && !(command.Clear && dict is { Count: > 0 }))
            return false;
        dict ??= (DictState)table.Add(ObjectKind.Dict, command.Dict);
        table.Begin(dict, command);
        if (command.Clear)
            dict.DropOrders();
        while (command.Clear && dict.First is { } first)
            dict.Delete(first, context);
        foreach (var change in _draft.Changes)
        {
            // The draft treated an expired entry whose timer is late as missing: remove it first.
            if (dict.Find(change.Key, 0) is { } old && old.HasExpired(context.Now))
                dict.Delete(old, context);
            if (change.Value is not { } value)
                dict.Delete(dict.Find(change.Key, 0)!, context);
            else
                SetTtl(dict, dict.Set(change.Key, value), change);
        }

        return true;
    }

    private void SetTtl(DictState dict, DictEntry entry, DictDraft.Change change)
    {
        if (change.Ttl is { } ttl)
            context.SetTimer(entry.Expiry ??= new DictExpiry(context.NextOrder(), dict, entry), context.After(ttl));
        else if (!change.KeepsTtl && entry.Expiry is { HeapIndex: >= 0 } timer)
            context.ClearTimer(timer);
        else
            return;
        if (dict.IsDurable)
        {
            context.Record(
                new EntryLives(dict.Name, entry.Key, entry.Expiry.HeapIndex >= 0 ? entry.Expiry.Deadline : long.MaxValue), dict.Durability);
        }
    }

    private DictValue[] ReadBack(DictState? dict, IReadOnlyList<DictEdit> edits)
    {
        var entries = new DictValue[edits.Count];
        for (var i = 0; i < entries.Length; i++)
        {
            var entry = dict?.Find(edits[i].Key, context.Now);
            entries[i] = new DictValue(edits[i].Key, entry?.Value, entry?.Version ?? 0);
        }

        return entries;
    }

    private ObjectError? ValidateEdit(DictEdit edit, int index)
    {
        if (edit.Operation is < DictOperation.Set or > DictOperation.Append)
            return ObjectError.Invalid($"edits[{index}]", $"edit {index} must be one of set, set_default, delete, add, path and append");
        if (edit.Key.Length == 0 || edit.Key.Length > options.MaxKeyLength)
        {
            return ObjectError.Invalid(
                $"edits[{index}].key",
                $"the key of edit {index} has {edit.Key.Length} characters and must have 1 to {options.MaxKeyLength}");
        }

        if (edit.Ttl is not { } ttl)
            return null;
        if (edit.Operation == DictOperation.Delete)
            return ObjectError.Invalid($"edits[{index}].ttl", $"edit {index} deletes its key and must have no ttl");
        return ttl <= TimeSpan.Zero || ttl > options.MaxTtl
            ? ObjectError.Invalid(
                $"edits[{index}].ttl",
                $"the ttl of {ttl.TotalSeconds} s of edit {index} must be more than zero and at most {options.MaxTtl.TotalSeconds} s")
            : null;
    }

    private static DictPage ReadKeys(DictState? dict, DictQuery query, long now)
    {
        var entries = new List<DictValue>(query.Keys.Count);
        var missing = new List<string>();
        foreach (var key in query.Keys)
        {
            if (dict?.Find(key, now) is { } entry)
                entries.Add(Read(entry, query));
            else
                missing.Add(key);
        }

        return new DictPage(dict?.Version ?? 0, dict?.Count ?? 0, entries, missing, "");
    }

    /// <summary>
    /// A page ends at a place in the order of insertion, or with a prefix at a key in the order of keys: entries that are added or removed
    /// between two pages neither repeat nor hide others.
    /// </summary>
    private ObjectOutcome ReadPage(DictState? dict, DictQuery query, long now)
    {
        var (place, key) = (0L, "");
        if (query.PageToken.Length > 0)
        {
            var colon = query.PageToken.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0 || !long.TryParse(query.PageToken.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out place))
            {
                return ObjectError.Invalid(
                    "page_token",
                    $"the page token \"{ObjectError.Shorten(query.PageToken)}\" must be the next_page_token of the page before");
            }

            key = query.PageToken[(colon + 1)..];
        }

        var entries = new List<DictValue>();
        var token = "";
        DictEntry? last = null;
        foreach (var entry in dict is null ? [] : query.KeyPrefix.Length > 0 ? WithPrefix(dict, query, key) : InOrder(dict, key, place))
        {
            if (entries.Count >= Math.Max(1, query.MaxEntries))
            {
                token = string.Create(CultureInfo.InvariantCulture, $"{last!.Place}:{last.Key}");
                break;
            }

            last = entry;
            if (!entry.HasExpired(now))
                entries.Add(Read(entry, query));
        }

        return new DictPage(dict?.Version ?? 0, dict?.Count ?? 0, entries, [], token);
    }

    private IEnumerable<DictEntry> WithPrefix(DictState dict, DictQuery query, string after) =>
        dict.WithPrefix(query.KeyPrefix, after, context.Indexing) ?? [];

    /// <summary>The entries after a place, in the order of insertion; 0 for all.</summary>
    private IEnumerable<DictEntry> InOrder(DictState dict, string key, long place)
    {
        var next = dict.First;
        if (place > 0 && !dict.TryFindAfter(key, place, context.Indexing, out next))
            yield break;
        for (; next is not null; next = next.Next)
            yield return next;
    }

    private static DictValue Read(DictEntry entry, DictQuery query) => new(entry.Key, query.KeysOnly ? null : entry.Value, entry.Version);
}
