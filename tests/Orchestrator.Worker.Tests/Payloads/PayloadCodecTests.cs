using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using CsCheck;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.V1;
using Orchestrator.Worker.Payloads;

namespace Orchestrator.Worker.Tests.Payloads;

public sealed class PayloadCodecTests
{
    private const long Exact = 1L << 53;

    private static readonly Gen<Value> s_scalars = Gen.OneOf(
        Gen.Const(0).Select(_ => Value.ForNull()),
        Gen.Bool.Select(Value.ForBool),
        Gen.Long[-Exact, Exact].Select(n => Value.ForNumber(n)),
        Gen.Double[-1e9, 1e9].Select(Value.ForNumber),
        Gen.String.Where(text => !text.Any(char.IsSurrogate)).Select(Value.ForString));

    [Fact]
    public void Json_crosses_as_protobuf_itself_would_write_it() =>
        Values(3).Sample(value =>
        {
            var payload = new Payload { Json = value }.ToByteString();
            var text = PayloadCodec.JsonText(PayloadCodec.Parse(payload));
            using var ours = JsonDocument.Parse(text);
            using var theirs = JsonDocument.Parse(JsonFormatter.Default.Format(value));
            Assert.True(Same(theirs.RootElement, ours.RootElement), $"{theirs.RootElement} became {ours.RootElement}");
            Assert.Equal(value, Payload.Parser.ParseFrom(PayloadCodec.EncodeJsonText(text)).Json);
        });

    [Fact]
    public void Bytes_cross_unchanged() =>
        Gen.Byte.Array[0, 300].Sample(bytes =>
        {
            var payload = PayloadCodec.EncodeBytes(bytes);
            Assert.Equal(bytes, Payload.Parser.ParseFrom(payload).Data.ToByteArray());
            Assert.Equal(bytes, PayloadCodec.DecodeBytes(payload).ToArray());
        });

    [Fact]
    public void Arbitrary_bytes_are_read_or_refused_and_nothing_else() =>
        Gen.Byte.Array[0, 60].Sample(bytes =>
        {
            try
            {
                PayloadCodec.DecodeJson(ByteString.CopyFrom(bytes), Type<JsonElement?>());
            }
            catch (Exception e) when (e is MalformedPayloadException or InvalidInputException)
            {
            }
        });

    [Theory]
    [InlineData(Exact, true)]
    [InlineData(-Exact, true)]
    [InlineData(Exact + 1, false)]
    [InlineData(long.MaxValue, false)]
    [InlineData(long.MinValue, false)]
    public void Integers_beyond_the_exact_ones_leave_as_strings_and_are_accepted_as_such(long number, bool isNumber)
    {
        var payload = PayloadCodec.EncodeJson(number, Type<long>());
        var value = Payload.Parser.ParseFrom(payload).Json;
        if (isNumber)
            Assert.Equal(number, (long)value.NumberValue);
        else
            Assert.Equal(number.ToString(CultureInfo.InvariantCulture), value.StringValue);
        Assert.Equal(number, PayloadCodec.DecodeJson(payload, Type<long>()));
    }

    [Fact]
    public void Larger_integer_types_keep_every_digit()
    {
        Assert.Equal(
            UInt128.MaxValue, PayloadCodec.DecodeJson(PayloadCodec.EncodeJson(UInt128.MaxValue, Type<UInt128>()), Type<UInt128>()));
        var power = BigInteger.Pow(7, 200);
        var payload = PayloadCodec.EncodeJson(power, Type<BigInteger>());
        Assert.Equal(power.ToString(CultureInfo.InvariantCulture), Payload.Parser.ParseFrom(payload).Json.StringValue);
        Assert.Equal(power, PayloadCodec.DecodeJson(payload, Type<BigInteger>()));
    }

    [Theory]
    [InlineData(1e300)]
    [InlineData(-0.1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(9007199254740994d)]
    public void Floating_point_numbers_cross(double number) =>
        Assert.Equal(number, PayloadCodec.DecodeJson(PayloadCodec.EncodeJson(number, Type<double>()), Type<double>()));

    [Fact]
    public void A_number_whose_digits_may_be_wrong_is_no_integer()
    {
        var payload = new Payload { Json = Value.ForNumber(Exact + 2d) }.ToByteString();
        var fault = Assert.Throws<InvalidInputException>(() => PayloadCodec.DecodeJson(payload, Type<long>()));
        Assert.Contains("a whole number (int64)", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_last_content_of_a_payload_counts()
    {
        var both = PayloadCodec.EncodeBytes([1]).ToByteArray().Concat(ExecutorFixture.Json("\"x\"").ToByteArray()).ToArray();
        Assert.Equal(PayloadKind.Json, new TaskPayload(ByteString.CopyFrom(both)).Kind);
        Assert.Equal("x"u8.ToArray(), PayloadCodec.DecodeBytes(ByteString.CopyFrom(both)).ToArray());
    }

    [Fact]
    public void Too_deep_json_is_refused()
    {
        var value = Value.ForNull();
        for (var i = 0; i < 80; i++)
            value = Value.ForList(value);
        var payload = new Payload { Json = value }.ToByteString();
        Assert.Throws<MalformedPayloadException>(() => PayloadCodec.DecodeJson(payload, Type<JsonElement>()));
    }

    private static JsonTypeInfo<T> Type<T>() => (JsonTypeInfo<T>)TaskJson.Default.GetTypeInfo(typeof(T));

    private static Gen<Value> Values(int depth) => depth == 0
        ? s_scalars
        : Gen.OneOf(
            s_scalars,
            Values(depth - 1).Array[0, 4].Select(items => Value.ForList(items)),
            Gen.Select(Gen.String[Gen.Char.AlphaNumeric, 1, 12], Values(depth - 1)).Array[0, 4].Select(pairs =>
            {
                var value = Value.ForStruct(new Struct());
                foreach (var (key, item) in pairs)
                    value.StructValue.Fields[key] = item;
                return value;
            }));

    private static bool Same(JsonElement a, JsonElement b) => (a.ValueKind, b.ValueKind) switch
    {
        (JsonValueKind.Number, JsonValueKind.Number) => a.GetDouble().Equals(b.GetDouble()),
        (JsonValueKind.Array, JsonValueKind.Array) =>
            a.GetArrayLength() == b.GetArrayLength()
                && a.EnumerateArray().Zip(b.EnumerateArray()).All(pair => Same(pair.First, pair.Second)),
        (JsonValueKind.Object, JsonValueKind.Object) =>
            a.EnumerateObject().Count() == b.EnumerateObject().Count()
                && a.EnumerateObject().All(p => b.TryGetProperty(p.Name, out var other) && Same(p.Value, other)),
        _ => a.ValueKind == b.ValueKind && a.ToString() == b.ToString(),
    };
}
