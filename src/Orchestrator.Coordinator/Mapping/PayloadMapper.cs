using Google.Protobuf.Collections;
using Orchestrator.Core.Kernel;
using Orchestrator.Protocol;
using Orchestrator.Transport.RawMessages;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>Conversions shared by several services: payloads in the engine's form, ids and page sizes.</summary>
internal static class PayloadMapper
{
    /// <summary>
    /// The maximum number of items in one answer: with the overhead of each, they still fit into the message size that clients accept by
    /// default.
    /// </summary>
    public const int MaxItems = 2_048;

    /// <summary>The maximum payload bytes in one answer, except that a single payload always fits.</summary>
    public const int MaxBytes = ProtocolConstants.SharedMessageBytes;

    private const int MaxRequestIdLength = 256;
    private const int DefaultPageSize = 100;
    private const int MaxPageSize = 1_000;

    // The payload of an omitted field.
    private static readonly Payload Empty = new();

    /// <summary>The engine keeps the message itself: it is never modified again, so it can be written to any number of answers.</summary>
    /// <param name="payload">The payload.</param>
    /// <param name="field">Its field path in the request.</param>
    /// <param name="index">The index of the element, if the field is a list.</param>
    /// <param name="part">The field within the element.</param>
    /// <exception cref="RequestValidationException">Its JSON is nested too deep. The engine refuses one that is too large.</exception>
    public static Content ToContent(Payload? payload, string field, int index = -1, string part = "")
    {
        payload ??= Empty;
        var bytes = payload.CalculateSize();
        return PayloadFormat.IsTooDeep(payload, bytes) ? throw TooDeep(Name(field, index, part)) : new Content(payload, bytes);
    }

    private static RequestValidationException TooDeep(string field) =>
        RequestValidationException.Invalid(field, $"{field}: {PayloadFormat.TooDeep}");

    // Built only for an error: most requests are valid.
    private static string Name(string field, int index, string part) =>
        index < 0 ? field : part.Length == 0 ? $"{field}[{index}]" : $"{field}[{index}].{part}";

    /// <summary>As <see cref="ToContent"/>, for each.</summary>
    public static Content[] ToContents(RepeatedField<Payload> payloads, string field)
    {
        var contents = new Content[payloads.Count];
        for (var i = 0; i < contents.Length; i++)
            contents[i] = ToContent(payloads[i], field, i);
        return contents;
    }

    /// <summary>The kept payload.</summary>
    public static Payload ToPayload(Content content) => (Payload)content.Body;

    /// <summary>Checks the length of an idempotency key.</summary>
    public static string RequestId(string id) => id.Length <= MaxRequestIdLength
        ? id
        : throw RequestValidationException.Invalid(
            "request_id", $"the request_id has {id.Length} characters; at most {MaxRequestIdLength} are allowed");

    /// <summary>The number of items on a page.</summary>
    public static int PageSize(int asked) => asked switch
    {
        < 0 => throw RequestValidationException.Invalid(
            "page_size", $"a page_size of {asked} must be at least 1, or 0 for {DefaultPageSize}"),
        0 => DefaultPageSize,
        _ => Math.Min(asked, MaxPageSize),
    };

    /// <summary>A durability level; null if none is named.</summary>
    public static Core.Common.Durability? ToDurability(Durability durability) =>
        durability == Durability.Unspecified ? null : (Core.Common.Durability)Narrow((int)durability);

    /// <summary>A wire enumeration may hold any number; one outside the engine's type is treated as unknown, like 255.</summary>
    public static byte Narrow(int value) => value is >= 0 and <= byte.MaxValue ? (byte)value : byte.MaxValue;
}
