using Orchestrator.Core.Kernel;
using Orchestrator.Core.State;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>Converts updates of <c>StateService</c> to commands, and outcomes to responses.</summary>
internal static class StateOperations
{
    public static UpdateDict ToCommand(V1.UpdateDictRequest request)
    {
        var edits = new DictEdit[request.Edits.Count];
        for (var i = 0; i < edits.Length; i++)
            edits[i] = ToEdit(request.Edits[i], i);
        return new UpdateDict(request.Dict, edits, request.Clear)
        {
            Guard = ToGuard(request.Guard),
            Durability = PayloadMapper.ToDurability(request.Durability),
            RequestId = PayloadMapper.RequestId(request.RequestId),
        };
    }

    public static V1.UpdateDictResponse ToResponse(UpdateDictOutcome outcome)
    {
        var response = new V1.UpdateDictResponse { Version = outcome.Version };
        for (var i = 0; i < outcome.Entries.Count; i++)
            response.Entries.Add(ToMessage(outcome.Entries[i]));
        return response;
    }

    public static UpdateList ToCommand(V1.UpdateListRequest request)
    {
        var edits = new ListEdit[request.Edits.Count];
        for (var i = 0; i < edits.Length; i++)
            edits[i] = ToEdit(request.Edits[i], i);
        return new UpdateList(request.List, edits)
        {
            Guard = ToGuard(request.Guard),
            Durability = PayloadMapper.ToDurability(request.Durability),
            RequestId = PayloadMapper.RequestId(request.RequestId),
        };
    }

    public static V1.UpdateListResponse ToResponse(UpdateListOutcome outcome) =>
        new() { Version = outcome.Version, Count = outcome.Count, Popped = { outcome.Popped.Select(PayloadMapper.ToPayload) } };

    public static UpdateValue ToCommand(V1.UpdateValueRequest request) =>
        new(request.Value, NumberMapper.ToEdit(request.Edit, "edit"))
        {
            Guard = ToGuard(request.Guard),
            Durability = PayloadMapper.ToDurability(request.Durability),
            RequestId = PayloadMapper.RequestId(request.RequestId)
        };

    public static V1.UpdateValueResponse ToResponse(UpdateValueOutcome outcome) => new()
    {
        Version = outcome.Version,
        Before = NumberMapper.ToMessage(outcome.Before),
        After = NumberMapper.ToMessage(outcome.After),
        Changed = outcome.Changed,
    };

    public static UpdateArray ToCommand(V1.UpdateArrayRequest request)
    {
        var edits = new ArrayEdit[request.Edits.Count];
        for (var i = 0; i < edits.Length; i++)
            edits[i] = new ArrayEdit(request.Edits[i].Index, NumberMapper.ToEdit(request.Edits[i].Edit, $"edits[{i}].edit"));
        return new UpdateArray(request.Array, request.Length, edits)
        {
            Guard = ToGuard(request.Guard),
            Durability = PayloadMapper.ToDurability(request.Durability),
            RequestId = PayloadMapper.RequestId(request.RequestId),
        };
    }

    public static V1.UpdateArrayResponse ToResponse(UpdateArrayOutcome outcome) =>
        new() { Version = outcome.Version, After = { outcome.After.Select(NumberMapper.ToMessage) } };

    public static DeleteState ToCommand(V1.DeleteStateRequest request) => new(ToKind(request.Kind), request.Name);

    /// <summary>The engine's kind; a value that is not a shared-state kind if the number is unknown.</summary>
    public static ObjectKind ToKind(V1.StateKind kind) => kind switch
    {
        V1.StateKind.Dict => ObjectKind.Dict,
        V1.StateKind.List => ObjectKind.List,
        V1.StateKind.Value => ObjectKind.Value,
        V1.StateKind.Array => ObjectKind.Array,
        _ => (ObjectKind)byte.MaxValue,
    };

    /// <summary>The wire form of a kind.</summary>
    public static V1.StateKind ToMessage(ObjectKind kind) => V1.StateKind.Dict + (kind - ObjectKind.Dict);

    public static V1.StateInfo ToMessage(StateInfo info) => new()
    {
        Kind = ToMessage(info.Kind),
        Name = info.Name,
        Version = info.Version,
        Count = info.Count,
        Bytes = info.Bytes,
        Durability = (V1.Durability)(int)info.Durability,
        Owner = info.Owner,
    };

    public static V1.DictEntry ToMessage(DictValue entry) => new()
    {
        Key = entry.Key,
        Value = entry.Value is { } value ? PayloadMapper.ToPayload(value) : null,
        Version = entry.Version,
    };

    /// <summary>An applied edit, for watchers.</summary>
    public static V1.ListEdit ToMessage(ListEdit edit) => edit.Operation switch
    {
        ListOperation.Append => new V1.ListEdit { Append = PayloadMapper.ToPayload(edit.Value) },
        ListOperation.Extend => new V1.ListEdit { Extend = new V1.ListExtend { Values = { edit.Values.Select(PayloadMapper.ToPayload) } } },
        ListOperation.Insert =>
            new V1.ListEdit { Insert = new V1.ListInsert { Index = edit.Index, Value = PayloadMapper.ToPayload(edit.Value) } },
        ListOperation.Set => new V1.ListEdit { Set = new V1.ListSet { Index = edit.Index, Value = PayloadMapper.ToPayload(edit.Value) } },
        ListOperation.Pop => new V1.ListEdit { Pop = edit.Index },
        ListOperation.Clear => new V1.ListEdit { Clear = true },
        _ => new V1.ListEdit { Reverse = true },
    };

    private static StateGuard? ToGuard(V1.Guard? guard) =>
        guard is null ? null : new StateGuard(guard.HasExpectedVersion ? guard.ExpectedVersion : null, guard.Lock, guard.FencingToken);

    private static DictEdit ToEdit(V1.DictEdit edit, int index)
    {
        // An empty edit, such as delete = false, is left for the engine to refuse.
        var result = edit.EditCase switch
        {
            V1.DictEdit.EditOneofCase.Set =>
                new DictEdit(DictOperation.Set, edit.Key) { Value = PayloadMapper.ToContent(edit.Set, "edits", index, "set") },
            V1.DictEdit.EditOneofCase.SetDefault =>
                new DictEdit(DictOperation.SetDefault, edit.Key)
                {
                    Value = PayloadMapper.ToContent(
                    edit.SetDefault, "edits", index, "set_default")
                },
            V1.DictEdit.EditOneofCase.Delete when edit.Delete => new DictEdit(DictOperation.Delete, edit.Key),
            V1.DictEdit.EditOneofCase.Add => new DictEdit(DictOperation.Add, edit.Key) { Amount = edit.Add },
            V1.DictEdit.EditOneofCase.Path =>
                new DictEdit(DictOperation.SetPath, edit.Key)
                {
                    Path = edit.Path.Path,
                    Value = PayloadMapper.ToContent(
                    edit.Path.Value, "edits", index, "path.value")
                },
            V1.DictEdit.EditOneofCase.Append =>
                new DictEdit(DictOperation.Append, edit.Key) { Value = PayloadMapper.ToContent(edit.Append, "edits", index, "append") },
            _ => new DictEdit(0, edit.Key),
        };
        return edit.Ttl is null ? result : result with { Ttl = ProtoTime.ToTimeSpan(edit.Ttl) };
    }

    private static ListEdit ToEdit(V1.ListEdit edit, int index) => edit.EditCase switch
    {
        V1.ListEdit.EditOneofCase.Append =>
            new ListEdit(ListOperation.Append) { Value = PayloadMapper.ToContent(edit.Append, "edits", index, "append") },
        V1.ListEdit.EditOneofCase.Insert =>
            new ListEdit(ListOperation.Insert)
            {
                Index = edit.Insert.Index,
                Value = PayloadMapper.ToContent(
                edit.Insert.Value, "edits", index, "insert.value")
            },
        V1.ListEdit.EditOneofCase.Set =>
            new ListEdit(ListOperation.Set)
            {
                Index = edit.Set.Index,
                Value = PayloadMapper.ToContent(
                edit.Set.Value, "edits", index, "set.value")
            },
        V1.ListEdit.EditOneofCase.Pop => new ListEdit(ListOperation.Pop) { Index = edit.Pop },
        V1.ListEdit.EditOneofCase.Clear when edit.Clear => new ListEdit(ListOperation.Clear),
        V1.ListEdit.EditOneofCase.Reverse when edit.Reverse => new ListEdit(ListOperation.Reverse),
        V1.ListEdit.EditOneofCase.Extend =>
            new ListEdit(ListOperation.Extend) { Values = PayloadMapper.ToContents(edit.Extend.Values, $"edits[{index}].extend.values") },
        _ => new ListEdit(0),
    };
}
