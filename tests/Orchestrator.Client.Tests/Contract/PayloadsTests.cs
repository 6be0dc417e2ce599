using CsCheck;
using Orchestrator.Client.Contract;

namespace Orchestrator.Client.Tests.Contract;

/// <summary>JSON that becomes a payload.</summary>
public sealed class PayloadsTests
{
    [Fact]
    public void Half_of_a_surrogate_pair_is_refused_and_a_whole_one_is_a_character()
    {
        Assert.Throws<System.Text.Json.JsonException>(() => Payloads.FromJson("\"\ud800\""));
        Assert.Throws<System.Text.Json.JsonException>(() => Payloads.FromJson("""["\ud800"]"""));
        // An escaped surrogate pair is one character.
        Assert.Equal("\ud83d\ude00", Payloads.FromJson("""
            "\ud83d\ude00"
            """).Json.StringValue);
        Assert.Equal("1e400", Payloads.FromJson("1e400").Json.StringValue);
    }

    [Theory]
    [InlineData("null", "null")]
    [InlineData("1", "1")]
    [InlineData("-0.5", "-0.5")]
    [InlineData("9007199254740992", "9007199254740992")]
    [InlineData("9007199254740993", "\"9007199254740993\"")]
    [InlineData("-9007199254740993", "\"-9007199254740993\"")]
    [InlineData("1e400", "\"1e400\"")]
    [InlineData("\"a\\u00e9\\n\"", "\"aé\\n\"")]
    [InlineData("{\"a\": [1, {\"b\": null}], \"\": true}", "{\"a\":[1,{\"b\":null}],\"\":true}")]
    public void A_number_that_a_double_does_not_hold_travels_as_text(string json, string sent) =>
        Assert.Equal(sent, Payloads.ToJson(Payloads.FromJson(json)));

    [Fact]
    public void What_was_read_is_read_again_as_itself() => Gen.Select(Gen.String, Gen.Double, Gen.Long, Gen.Bool).Sample(
        (text, real, integer, flag) =>
        {
            // A text of halves of surrogate pairs is refused, and has a test of its own.
            text = System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text));
            var first = Payloads.FromJson(System.Text.Json.JsonSerializer.Serialize(
                new object[] { text, double.IsFinite(real) ? real : 0, integer, flag, new Dictionary<string, string> { [text] = text } }));
            Assert.Equal(first, Payloads.FromJson(Payloads.ToJson(first)));
            Assert.Equal(Payloads.ToJson(first), System.Text.Encoding.UTF8.GetString(Payloads.ToBytes(first).Span));
        });

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("1 2")]
    [InlineData("{'a': 1}")]
    [InlineData("NaN")]
    public void What_is_not_one_value_is_refused(string json) =>
        Assert.ThrowsAny<System.Text.Json.JsonException>(() => Payloads.FromJson(json));

    [Fact]
    public void Bytes_are_not_JSON()
    {
        var payload = Payloads.FromBytes(new byte[] { 1, 2 });
        Assert.Equal([1, 2], Payloads.ToBytes(payload).ToArray());
        Assert.Throws<ArgumentException>(() => Payloads.ToJson(payload));
        Assert.True(Payloads.ToBytes(null).IsEmpty);
    }
}
