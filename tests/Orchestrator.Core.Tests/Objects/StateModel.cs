using Orchestrator.Core.State;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Reference model of shared state: every update works on a copy, which replaces the original if all edits succeed.</summary>
internal sealed class StateModel
{
    public List<(string Key, string Value, long Ends)> Dict { get; private set; } = [];

    public List<string> List { get; private set; } = [];

    public long? Value { get; private set; }

    public long[] Array { get; private set; } = new long[3];

    public bool UpdateDict(IEnumerable<DictEdit> edits, bool clear, long now)
    {
        var copy = clear ? [] : Dict.ToList();
        foreach (var edit in edits)
        {
            var index = copy.FindIndex(entry => entry.Key == edit.Key);
            var old = index < 0 ? null : copy[index].Value;
            string? value;
            switch (edit.Operation)
            {
                case DictOperation.Delete:
                    copy.RemoveAll(entry => entry.Key == edit.Key);
                    continue;
                case DictOperation.SetDefault when old is not null:
                    continue;
                case DictOperation.Add:
                    if (old?.StartsWith('[') == true)
                        return false;
                    value = $"{(old is null ? 0 : long.Parse(old)) + edit.Amount}";
                    break;
                case DictOperation.Append:
                    if (old is not null && !old.StartsWith('['))
                        return false;
                    value = old is null or "[]" ? $"[{edit.Value.Body}]" : $"{old[..^1]},{edit.Value.Body}]";
                    break;
                default:
                    value = (string)edit.Value.Body;
                    break;
            }

            var keeps = edit.Operation is DictOperation.Add or DictOperation.Append && index >= 0;
            var ends = edit.Ttl is { } ttl ? now + ttl.Ticks : keeps ? copy[index].Ends : long.MaxValue;
            if (index < 0)
                copy.Add((edit.Key, value, ends));
            else
                copy[index] = (edit.Key, value, ends);
        }

        if (copy.Count > 5)
            return false;
        Dict = copy;
        return true;
    }

    public void RawTime(long now) => Dict.RemoveAll(entry => entry.Ends <= now);

    /// <summary>The popped elements; null when the update fails.</summary>
    public List<string>? UpdateList(IEnumerable<ListEdit> edits)
    {
        var copy = List.ToList();
        var popped = new List<string>();
        foreach (var edit in edits)
        {
            var index = (int)(edit.Index < 0 ? edit.Index + copy.Count : edit.Index);
            var most = edit.Operation == ListOperation.Insert ? copy.Count : copy.Count - 1;
            if (edit.Operation is ListOperation.Insert or ListOperation.Set or ListOperation.Pop && (index < 0 || index > most))
                return null;
            switch (edit.Operation)
            {
                case ListOperation.Append:
                    copy.Add((string)edit.Value.Body);
                    break;
                case ListOperation.Extend:
                    copy.AddRange(edit.Values.Select(value => (string)value.Body));
                    break;
                case ListOperation.Insert:
                    copy.Insert(index, (string)edit.Value.Body);
                    break;
                case ListOperation.Set:
                    copy[index] = (string)edit.Value.Body;
                    break;
                case ListOperation.Pop:
                    popped.Add(copy[index]);
                    copy.RemoveAt(index);
                    break;
                case ListOperation.Clear:
                    copy.Clear();
                    break;
                default:
                    copy.Reverse();
                    break;
            }
        }

        if (copy.Count > 5)
            return null;
        List = copy;
        return popped;
    }

    public bool UpdateValue(NumberEdit edit)
    {
        if (!TryApply(Value, edit, out var after))
            return false;
        Value = after;
        return true;
    }

    public bool UpdateArray(IEnumerable<ArrayEdit> edits)
    {
        var copy = (long[])Array.Clone();
        foreach (var edit in edits)
        {
            var index = edit.Index < 0 ? edit.Index + copy.Length : edit.Index;
            if (index < 0 || index >= copy.Length || !TryApply(copy[index], edit.Edit, out var after))
                return false;
            copy[index] = after!.Value;
        }

        Array = copy;
        return true;
    }

    private static bool TryApply(long? before, NumberEdit edit, out long? after)
    {
        var operand = edit.Operand.Whole;
        var sum = (Int128)(before ?? 0) + operand;
        after = edit.Operation switch
        {
            NumberOperation.Set => operand,
            NumberOperation.Add => sum >= long.MinValue && sum <= long.MaxValue ? (long)sum : before,
            NumberOperation.Min => Math.Min(before ?? operand, operand),
            NumberOperation.Max => Math.Max(before ?? operand, operand),
            _ => before == edit.Expected?.Whole ? operand : before,
        };
        return edit.Operation != NumberOperation.Add || (sum >= long.MinValue && sum <= long.MaxValue);
    }
}
