using System.Collections;
using System.Collections.Concurrent;
using System.Collections.Frozen;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>The maximum length of a string or of a list.</summary>
/// <param name="Name">The limit's name in errors and <c>ListLimits</c>.</param>
/// <param name="Maximum">The maximum.</param>
/// <param name="Unit">The unit of the maximum.</param>
/// <param name="Description">The fields that it applies to.</param>
internal sealed record FieldLimit(string Name, int Maximum, string Unit, string Description);

/// <summary>
/// The single table of size limits for every string and list in a request. Limits are resolved by field descriptor, so a new field cannot
/// be forgotten: one without a limit fails a test, and is refused if it is ever sent. Payloads have their own limits.
/// </summary>
internal static class FieldLimits
{
    /// <summary>In a message this small, no field can exceed its limit.</summary>
    private const int AlwaysFits = 128;

    private static readonly FieldLimit Name = new(
        "name_chars", 128, "characters",
        "A name: of a handler, an object, a worker, a group, a session, a flow, an affinity, concurrency or fairness key, a label");

    private static readonly FieldLimit SessionId = new("session_id_chars", 128, "characters", "A session's id");
    private static readonly FieldLimit RequestId = new("request_id_chars", 256, "characters", "An idempotency key");
    private static readonly FieldLimit PageToken = new("page_token_chars", 2_048, "characters", "A next_page_token that is sent back");
    private static readonly FieldLimit Key = new("key_chars", 1_024, "characters", "A key of a dict, or its prefix");
    private static readonly FieldLimit Trace = new("trace_chars", 128, "characters", "A W3C trace context");
    private static readonly FieldLimit Text = new(
        "text_chars", 1_024, "characters", "A path into a value, a label's value, the reason of a rejection, what a list is to contain");

    /// <summary>The labels of one task.</summary>
    public static readonly FieldLimit Labels = new("labels", 64, "labels", "Labels of one task");

    /// <summary>The tasks that one task may depend on.</summary>
    public static readonly FieldLimit Dependencies = new("dependencies", 10_000, "tasks", "Tasks that one task depends on");

    /// <summary>The elements of any other list.</summary>
    public static readonly FieldLimit Elements = new(
        "list_elements", 100_000, "elements", "Tasks, items, messages, edits, ids, keys or values in one list of a request");

    private static readonly FrozenDictionary<string, FieldLimit> Strings = new (FieldLimit Limit, string[] Fields)[]
    {
        (Name,
        [
            "handler", "affinity_key", "concurrency_key", "rate_limiter", "fairness_key", "queue", "dead_letter_queue", "name",
            "display_name", "pipe", "dict", "list", "value",
            "array", "lock", "semaphore", "event", "condition", "barrier", "latch", "worker", "group", "flow",
        ]),
        (SessionId, ["session_id"]),
        (RequestId, ["request_id"]),
        (PageToken, ["page_token"]),
        (Key, ["key", "key_prefix", "keys"]),
        (Trace, ["traceparent"]),
        (Text, ["path", "reason", "client", "text", "series"]),
    }.SelectMany(row => row.Fields.Select(field => KeyValuePair.Create(field, row.Limit))).ToFrozenDictionary();

    private static readonly ConcurrentDictionary<MessageDescriptor, FieldDescriptor[]> Fields = new();

    /// <summary>All limits.</summary>
    public static IReadOnlyList<FieldLimit> All { get; } =
        [Name, SessionId, RequestId, PageToken, Key, Trace, Text, Labels, Dependencies, Elements];

    /// <summary>The limit of the length of a string, or of each string of a list; null where there is none.</summary>
    public static FieldLimit? OfString(FieldDescriptor field) =>
        field.FieldType == FieldType.String ? Strings.GetValueOrDefault(field.Name) : null;

    /// <summary>The limit of the number of elements; null if the field is not a list.</summary>
    public static FieldLimit? OfCount(FieldDescriptor field) =>
        field.IsMap ? Labels : field is { IsRepeated: true, Name: "depends_on" } ? Dependencies : field.IsRepeated ? Elements : null;

    /// <summary>
    /// The violation of a list with this many elements, for lists read without a parsed message; null if it is within its limit.
    /// </summary>
    public static Violation? OfElements(int count, string path) => TooMany(count, Elements, path);

    /// <summary>The violation of a string read without a parsed message; null if it is within its limit.</summary>
    /// <param name="text">The string.</param>
    /// <param name="field">The field's name in the contract.</param>
    /// <param name="path">Its path in the request.</param>
    public static Violation? OfText(string text, string field, string path) => TooLong(text, Strings[field], path);

    /// <summary>The first field of a request that exceeds its limit, at any depth; null if none does.</summary>
    /// <param name="request">The request.</param>
    /// <param name="path">The path of the request itself.</param>
    /// <param name="except">A list in the request whose elements are checked elsewhere, one by one.</param>
    public static Violation? Find(IMessage request, string path = "", string? except = null) =>
        request.CalculateSize() <= AlwaysFits ? null : FindIn(request, path, except);

    private static Violation? FindIn(IMessage message, string path, string? except)
    {
        foreach (var field in Fields.GetOrAdd(
            message.Descriptor, static descriptor => [.. descriptor.Fields.InDeclarationOrder().Where(IsChecked)]))
        {
            if ((field.RealContainingOneof is not { } oneof || oneof.Accessor.GetCaseFieldDescriptor(message) == field)
                && FindIn(field, field.Accessor.GetValue(message), path.Length == 0
                    ? field.Name : $"{path}.{field.Name}", isCountOnly: field.Name == except) is { } violation)
            {
                return violation;
            }
        }

        return null;
    }

    private static Violation? FindIn(FieldDescriptor field, object? value, string path, bool isCountOnly)
    {
        switch (value)
        {
            case string text:
                return TooLong(text, OfString(field)!, path);
            case IMessage message:
                return FindIn(message, path, null);
            case IDictionary labels:
                return TooMany(labels.Count, OfCount(field)!, path) ?? FindIn(labels, path);
            case IList list:
                if (TooMany(list.Count, OfCount(field)!, path) is { } many)
                    return many;
                if (isCountOnly || field.FieldType is not (FieldType.String or FieldType.Message))
                    return null;
                for (var i = 0; i < list.Count; i++)
                {
                    // The path of an element is built only for an error.
                    if (list[i] is IMessage element
                        ? FindIn(element, "", null) is not null : TooLong((string)list[i]!, OfString(field)!, "") is not null)
                        return list[i] is IMessage wrong
                            ? FindIn(wrong, $"{path}[{i}]", null) : TooLong((string)list[i]!, OfString(field)!, $"{path}[{i}]");
                }

                return null;
            default:
                return null;
        }
    }

    private static Violation? FindIn(IDictionary labels, string path)
    {
        foreach (DictionaryEntry label in labels)
        {
            if ((TooLong((string)label.Key, Name, $"{path} (key)")
                ?? TooLong((string)label.Value!, Text, $"{path}[{label.Key}]")) is { } violation)
                return violation;
        }

        return null;
    }

    private static Violation? TooLong(string text, FieldLimit limit, string path) =>
        text.Length <= limit.Maximum
            ? null : new Violation(path, $"has {text.Length:N0} characters; at most {limit.Maximum:N0} are allowed ({limit.Name})");

    private static Violation? TooMany(int count, FieldLimit limit, string path) =>
        count <= limit.Maximum
            ? null : new Violation(path, $"has {count:N0} elements; at most {limit.Maximum:N0} are allowed ({limit.Name})");

    /// <summary>Strings, lists, and messages that may contain them. Payload content is limited by its bytes.</summary>
    private static bool IsChecked(FieldDescriptor field) =>
        field.FieldType == FieldType.String || field.IsRepeated
        || (field.FieldType == FieldType.Message && field.MessageType.File.Package == "orchestrator.v1"
            && field.MessageType.Name != nameof(V1.Payload));
}
