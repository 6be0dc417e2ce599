using Google.Protobuf;
using Orchestrator.TestKit;
using Orchestrator.Transport.RawMessages;
using Orchestrator.V1;

namespace Orchestrator.Worker.Tests.Payloads;

/// <summary>Payloads that pass through unparsed are valid for generated code.</summary>
public sealed class PayloadFormatFuzzTests
{
    private const int Seed = 20_250_614;

    [Fact]
    public void What_is_passed_on_is_what_generated_code_takes()
    {
        byte[][] corpus =
        [
            new Payload { Data = ByteString.CopyFromUtf8("some bytes") }.ToByteArray(),
            .. new[]
            {
                "1", "null", "true", "\"text ☃\"", "[]", "{}", """{"a": [1, 2.5, "x", null, true, {"b": {"c": "é"}}]}""",
                """[[[[1]]], {"": ""}, {"k": {"k": []}}]""",
            }.Select(json => Client.Contract.Payloads.FromJson(json).ToByteArray()),
        ];
        var (taken, refused) = (0, 0);
        foreach (var bytes in Mutations.Of(Seed, corpus))
        {
            var ours = Record.Exception(() => PayloadFormat.Check(bytes));
            var generated = Record.Exception(() => Payload.Parser.ParseFrom(bytes));
            Assert.True(ours is null or InvalidDataException, $"{Convert.ToHexString(bytes)}: {ours}");
            Assert.True(
                ours is not null || generated is null, $"{Convert.ToHexString(bytes)} is taken; generated code: {generated?.Message}");
            // In map entries the C# code skips invalid wire types; the code of other languages rejects them.
            Assert.True(
                ours is null || generated is not null || ours.Message.Contains("no known wire type", StringComparison.Ordinal),
                $"{Convert.ToHexString(bytes)}: {ours?.Message}; generated code takes it");
            _ = ours is null ? taken++ : refused++;
        }

        Assert.True(taken > Mutations.Rounds / 20 && refused > Mutations.Rounds / 20, $"{taken} taken, {refused} refused");
    }
}
