using System.Globalization;
using System.Numerics;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.State;
using Orchestrator.Protocol;
using Orchestrator.Transport.RawMessages;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>
/// Edits payloads that hold JSON values. Unchanged parts are shared with the old value, which stays unmodified. Integers are exact at any
/// size: beyond 2^53 they are decimal strings, as everywhere in the contract.
/// </summary>
/// <param name="largestPayload">The largest value in bytes.</param>
internal sealed class JsonEditor(int largestPayload = ProtocolConstants.DefaultPayloadBytes) : IValueEditor
{
    // An edit reads and measures the whole value, which holds up all shared objects for some milliseconds at this size.
    private const int LargestEdited = 4_000_000;

    private readonly int _limit = Math.Min(LargestEdited, largestPayload);

    private const double LargestExact = 1L << 53;
    private const int MaxDigits = 64;

    public ValueEdit Add(Content? value, double amount)
    {
        var current = Value.ForNumber(0);
        if (value is { } content && TryRead(content, out current) is { } error)
            return ValueEdit.Refused(error);
        if (!double.IsFinite(amount))
            return ValueEdit.Refused($"{amount.ToString(CultureInfo.InvariantCulture)} cannot be added: it is no finite number");
        if (ToInteger(current) is { } whole && double.IsInteger(amount) && Math.Abs(amount) <= long.MaxValue)
            return Fit(FromInteger(whole + new BigInteger(amount)), "with the sum");
        if (current.KindCase != Value.KindOneofCase.NumberValue && ToInteger(current) is null)
            return ValueEdit.Refused($"the value is {Name(current)}, not a number");
        var sum = (ToInteger(current) is { } large ? (double)large : current.NumberValue) + amount;
        return double.IsFinite(sum)
            ? Fit(Value.ForNumber(sum), "with the sum")
            : ValueEdit.Refused($"adding {amount.ToString(CultureInfo.InvariantCulture)} goes beyond the range of a double");
    }

    public ValueEdit SetPath(Content? value, string path, Content element)
    {
        if (JsonPath.TryParse(path, out var steps) is { } wrong)
            return ValueEdit.Refused(wrong);
        if (TryRead(element, out var json) is { } bad)
            return ValueEdit.Refused($"the new value {bad}");
        Value? current = null;
        if (value is { } content && TryRead(content, out current) is { } error)
            return ValueEdit.Refused(error);
        return JsonPath.TrySet(current, steps, json, out var changed) is { } refused
            ? ValueEdit.Refused(refused) : Fit(changed, $"with \"{JsonPath.Shorten(path)}\" set");
    }

    public ValueEdit Append(Content? value, Content element)
    {
        if (TryRead(element, out var json) is { } bad)
            return ValueEdit.Refused($"the new element {bad}");
        if (value is not { } content)
            return Fit(new Value { ListValue = new ListValue { Values = { json } } }, "with the element appended");
        if (TryRead(content, out var current) is { } error)
            return ValueEdit.Refused(error);
        if (current.KindCase != Value.KindOneofCase.ListValue)
            return ValueEdit.Refused($"the value is {Name(current)}, not a list");
        var payload = new Payload { Json = new Value { ListValue = new ListValue { Values = { current.ListValue.Values, json } } } };
        // The size grows by the element's size: measuring the whole list with every append would make long lists slow.
        return Fit(payload, content.Bytes + element.Bytes, "with the element appended");
    }

    /// <summary>For messages.</summary>
    public static string Name(Value? value) => value?.KindCase switch
    {
        Value.KindOneofCase.BoolValue => "a boolean",
        Value.KindOneofCase.NumberValue => "a number",
        Value.KindOneofCase.StringValue => "a string",
        Value.KindOneofCase.ListValue => "a list",
        Value.KindOneofCase.StructValue => "an object",
        _ => "null",
    };

    private static string? TryRead(Content content, out Value value)
    {
        var payload = (Payload)content.Body;
        value = payload.Json ?? Value.ForNull();
        return payload.ContentCase == Payload.ContentOneofCase.Data ? "holds bytes, not JSON" : null;
    }

    private static BigInteger? ToInteger(Value value) => value.KindCase switch
    {
        Value.KindOneofCase.NumberValue when double.IsInteger(value.NumberValue) && Math.Abs(value.NumberValue) <= LargestExact =>
            new BigInteger(value.NumberValue),
        Value.KindOneofCase.StringValue when value.StringValue.Length is > 0 and <= MaxDigits
            && BigInteger.TryParse(value.StringValue, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer) =>
                integer,
        _ => null,
    };

    private static Value FromInteger(BigInteger integer) => BigInteger.Abs(integer) <= new BigInteger(LargestExact)
        ? Value.ForNumber((double)integer)
        : Value.ForString(integer.ToString(CultureInfo.InvariantCulture));

    private ValueEdit Fit(Value value, string change)
    {
        var payload = new Payload { Json = value };
        return Fit(payload, payload.CalculateSize(), change);
    }

    private ValueEdit Fit(Payload payload, long bytes, string change)
    {
        if (bytes > _limit)
        {
            return ValueEdit.Refused(_limit < LargestEdited
                ? $"{change} it would have {bytes:N0} bytes; the limit (payload_bytes) is {_limit:N0}"
                : $"{change} it would have {bytes:N0} bytes; a value may be changed inside up to {_limit:N0}: set a larger one as a whole");
        }

        return PayloadFormat.IsTooDeep(payload, bytes)
            ? ValueEdit.Refused($"{change}, {PayloadFormat.TooDeep}")
            : ValueEdit.Done(new Content(payload, (int)bytes));
    }
}
