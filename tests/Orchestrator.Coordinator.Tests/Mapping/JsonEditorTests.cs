using System.Globalization;
using System.Numerics;
using CsCheck;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.State;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Tests.Mapping;

/// <summary>Edits inside JSON values: exact integers, paths, appends; and the reason where one is refused.</summary>
public sealed class JsonEditorTests
{
    private readonly JsonEditor _editor = new();

    [Fact]
    public void Sums_of_integers_keep_every_digit() => Gen.Long.Array[1, 8].Sample(amounts =>
    {
        // What a double does not hold exactly is no integer of the caller's.
        var exact = amounts.Select(amount => amount % (1L << 53)).ToArray();
        Content? value = null;
        foreach (var amount in exact)
            value = Done(_editor.Add(value, amount));
        Assert.Equal(exact.Aggregate(BigInteger.Zero, (sum, amount) => sum + amount), Read(value!.Value));
    });

    [Theory]
    [InlineData("\"9007199254740993\"", 1, "9007199254740994")]
    [InlineData("\"-9007199254740993\"", 1, "-9007199254740992")]
    [InlineData("9007199254740992", 1, "9007199254740993")]
    [InlineData("\"123456789012345678901234567890\"", -1, "123456789012345678901234567889")]
    public void An_integer_beyond_2_to_the_53rd_is_a_decimal_string(string value, double amount, string sum) =>
        Assert.Equal(BigInteger.Parse(sum, CultureInfo.InvariantCulture), Read(Done(_editor.Add(Json(value), amount))));

    [Theory]
    [InlineData("\"text\"", 1, "a string, not a number")]
    [InlineData("true", 1, "a boolean, not a number")]
    [InlineData("null", 1, "null, not a number")]
    [InlineData("[1]", 1, "a list, not a number")]
    [InlineData("{}", 1, "an object, not a number")]
    [InlineData("1", double.NaN, "no finite number")]
    [InlineData("1", double.PositiveInfinity, "no finite number")]
    [InlineData("1.7976931348623157e308", 1.7976931348623157e308, "beyond the range of a double")]
    public void What_cannot_be_added_says_why(string value, double amount, string why)
    {
        var edit = _editor.Add(Json(value), amount);
        Assert.Contains(why, edit.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "a", """{ "a": "new" }""")]
    [InlineData(null, "a.b.c", """{ "a": { "b": { "c": "new" } } }""")]
    [InlineData(null, "[\"a.b\"].c", """{ "a.b": { "c": "new" } }""")]
    [InlineData("""{"a": {"b": 1}, "c": 2}""", "a.b", """{ "a": { "b": "new" }, "c": 2 }""")]
    [InlineData("""{"a": [1, 2, 3]}""", "a[1]", """{ "a": [ 1, "new", 3 ] }""")]
    [InlineData("[[1], [2]]", "[-1][0]", """[ [ 1 ], [ "new" ] ]""")]
    [InlineData("""[{"n": 1}]""", "[0].n", """[ { "n": "new" } ]""")]
    public void A_path_sets_one_place_and_leaves_the_old_value_alone(string? value, string path, string expected)
    {
        var old = value is null ? (Content?)null : Json(value);
        var before = old is { } content ? ((Payload)content.Body).Clone() : null;
        var changed = (Payload)Done(_editor.SetPath(old, path, Json("\"new\""))).Body;
        Assert.Equal(expected, changed.Json.ToString());
        Assert.Equal(before, (Payload?)old?.Body);
    }

    [Theory]
    [InlineData("1", "a", "the value at the top is a number, not an object")]
    [InlineData("""{"a": 1}""", "a.b", "the value at a is a number, not an object")]
    [InlineData("""{"a": {}}""", "a[0]", "the value at a is an object, not a list")]
    [InlineData("{}", "a[0]", "the value at a is missing, not a list")]
    [InlineData("[1]", "[1]", "the index 1 is out of range for the list of length 1 at the top")]
    [InlineData("[1]", "[-2]", "the index -2 is out of range")]
    [InlineData("{}", "", "the path is empty")]
    [InlineData("{}", ".a", "is wrong at 0: a name is expected here")]
    [InlineData("{}", "a..b", "is wrong at 2: a name is expected here")]
    [InlineData("[[1]]", "[0]b", "is wrong at 3: a dot or a bracket must follow")]
    [InlineData("{}", "a[", "is wrong at 1: brackets hold an index")]
    [InlineData("{}", "a[x]", "is wrong at 1: brackets hold an index")]
    [InlineData("{}", "a[99999999999]", "is wrong at 1: brackets hold an index")]
    [InlineData("{}", "[\"a]", "is wrong at 0: brackets hold an index")]
    public void A_path_that_leads_nowhere_says_where_it_ends(string value, string path, string why) =>
        Assert.Contains(why, _editor.SetPath(Json(value), path, Json("1")).Error, StringComparison.Ordinal);

    [Fact]
    public void What_is_appended_is_the_last() => Gen.Int.Array[1, 10].Sample(numbers =>
    {
        Content? value = null;
        foreach (var number in numbers)
            value = Done(_editor.Append(value, Json(number.ToString(CultureInfo.InvariantCulture))));
        var payload = (Payload)value!.Value.Body;
        Assert.Equal(numbers.Select(number => (double)number), payload.Json.ListValue.Values.Select(item => item.NumberValue));
        // Its size is counted, not measured anew with each append; never too small.
        Assert.InRange(payload.CalculateSize(), 1, value.Value.Bytes + 16);
    });

    [Fact]
    public void Bytes_are_not_edited()
    {
        var bytes = new Payload { Data = Google.Protobuf.ByteString.CopyFrom(1, 2) };
        var content = new Content(bytes, bytes.CalculateSize());
        Assert.Contains("holds bytes", _editor.Add(content, 1).Error, StringComparison.Ordinal);
        Assert.Contains("holds bytes", _editor.Append(content, Json("1")).Error, StringComparison.Ordinal);
        Assert.Contains("holds bytes", _editor.Append(Json("[]"), content).Error, StringComparison.Ordinal);
        Assert.Contains("holds bytes", _editor.SetPath(content, "a", Json("1")).Error, StringComparison.Ordinal);
        Assert.Contains("holds bytes", _editor.SetPath(Json("{}"), "a", content).Error, StringComparison.Ordinal);
    }

    private static Content Json(string json)
    {
        var payload = new Payload { Json = Google.Protobuf.JsonParser.Default.Parse<Value>(json) };
        return new Content(payload, payload.CalculateSize());
    }

    private static Content Done(ValueEdit edit)
    {
        Assert.Null(edit.Error);
        return edit.Value;
    }

    private static BigInteger Read(Content content)
    {
        var value = ((Payload)content.Body).Json;
        return value.KindCase == Value.KindOneofCase.StringValue
            ? BigInteger.Parse(value.StringValue, CultureInfo.InvariantCulture) : new BigInteger(value.NumberValue);
    }
}
