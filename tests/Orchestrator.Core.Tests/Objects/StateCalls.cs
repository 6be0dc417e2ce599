using Orchestrator.Core.Objects;
using Orchestrator.Core.State;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Short forms of operations on shared state; values are JSON texts.</summary>
internal static class StateCalls
{
    public static ObjectHarness Harness(StateOptions? options = null) =>
        new(new ObjectEngineOptions { State = (options ?? new StateOptions()) with { ValueEditor = new JsonEditor() } });

    public static DictEdit Set(string key, string value, TimeSpan? ttl = null) =>
        new(DictOperation.Set, key) { Value = JsonEditor.Json(value), Ttl = ttl };

    public static DictEdit Delete(string key) => new(DictOperation.Delete, key);

    public static Call Dict(this ObjectHarness harness, params DictEdit[] edits) => harness.Apply(new UpdateDict("d", edits));

    public static string[] Entries(this Call call) =>
        [.. call.Get<UpdateDictOutcome>().Entries.Select(entry => $"{entry.Key}={entry.Value?.Body ?? "-"}@{entry.Version}")];

    public static DictPage Read(this ObjectHarness harness, params string[] keys) =>
        (DictPage)harness.View.ReadDict(new DictQuery("d") { Keys = keys }, harness.Now);

    public static string Text(this DictPage page) =>
        string.Join(' ', page.Entries.Select(entry => $"{entry.Key}={entry.Value?.Body ?? "-"}"));

    public static ListEdit Edit(ListOperation operation, long index = 0, string value = "", params string[] values) => new(operation)
    {
        Index = index,
        Value = value.Length > 0 ? JsonEditor.Json(value) : default,
        Values = System.Array.ConvertAll(values, JsonEditor.Json),
    };

    public static Call List(this ObjectHarness harness, params ListEdit[] edits) => harness.Apply(new UpdateList("l", edits));

    public static string ReadList(this ObjectHarness harness, long start = 0, long limit = 0) =>
        string.Join(' ', ((ListPage)harness.View.ReadList("l", start, limit)).Values.Select(value => value.Body));

    public static Call Value(this ObjectHarness harness, NumberOperation operation, Number operand, Number? expected = null) =>
        harness.Apply(new UpdateValue("v", new NumberEdit(operation, operand, expected)));

    public static string ReadValue(this ObjectHarness harness) => $"{((ValueReading)harness.View.ReadValue("v")).Current}";

    public static Call Array(this ObjectHarness harness, long length, params ArrayEdit[] edits) =>
        harness.Apply(new UpdateArray("a", length, edits));

    public static ArrayEdit At(long index, NumberOperation operation, Number operand, Number? expected = null) =>
        new(index, new NumberEdit(operation, operand, expected));

    public static string ReadArray(this ObjectHarness harness, long start = 0, long limit = 0) =>
        string.Join(' ', ((ArrayPage)harness.View.ReadArray("a", start, limit)).Values);
}
