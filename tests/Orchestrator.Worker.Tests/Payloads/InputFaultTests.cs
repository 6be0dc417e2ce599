using Google.Protobuf;
using Orchestrator.V1;
using Orchestrator.Worker.Payloads;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Worker.Tests.Payloads;

public sealed class InputFaultTests
{
    private enum Colour
    {
        Red,
        Green,
    }

    [Theory]
    [InlineData("""{"n": "abc"}""", "input of 'h': field 'n' must be a whole number (int64), got \"abc\"")]
    [InlineData("""{"n": 1.5}""", "input of 'h': field 'n' must be a whole number (int64), got 1.5")]
    [InlineData("""{"n": null}""", "input of 'h': field 'n' must be a whole number (int64), got null")]
    [InlineData("""{}""", "input of 'h': field 'n' is missing: it must be a whole number (int64)")]
    [InlineData("""{"N": 1}""", null)]
    [InlineData("""{"n": "9007199254740993", "more": true}""", null)]
    [InlineData("""5""", "input of 'h': must be a JSON object, got 5")]
    [InlineData("""null""", "input of 'h': must be a JSON object, got null")]
    [InlineData("""[1]""", "input of 'h': must be a JSON object, got [1]")]
    [InlineData("""{"n": 1, "name": null}""", "input of 'h': field 'name' must be a string, got null")]
    [InlineData("""{"n": 1, "small": 300}""", "input of 'h': field 'small' must be a whole number (uint8), got 300")]
    [InlineData("""{"n": 1, "colour": "blue"}""", "input of 'h': field 'colour' must be one of Red, Green, got \"blue\"")]
    [InlineData("""{"n": 1, "points": [{"x": 1}, {"x": "a"}]}""", "input of 'h': field 'points[1].x' must be a number, got \"a\"")]
    [InlineData("""{"n": 1, "points": [{}]}""", "input of 'h': field 'points[0].x' is missing: it must be a number")]
    [InlineData("""{"n": 1, "points": 7}""", "input of 'h': field 'points' must be a JSON array, got 7")]
    public async Task Bad_input_is_named(string json, string? expected)
    {
        await using var fixture = new ExecutorFixture(r => r.MapTask("h", (Request request) => request.N));
        var error = (await fixture.RunAsync("h", json)).Error!;
        if (expected is null)
        {
            Assert.Null(error);
            return;
        }

        Assert.Equal(expected, error.Message);
        Assert.Equal(ErrorReason.Invalid, error.Reason);
    }

    [Fact]
    public async Task Scalar_inputs_are_named_too()
    {
        await using var fixture = new ExecutorFixture(r => r.MapTask("h", (long n) => n));
        Assert.Equal(
            "input of 'h': must be a whole number (int64), got {\"n\":1}", (await fixture.RunAsync("h", """{"n": 1}""")).Error!.Message);
    }

    [Fact]
    public async Task An_empty_payload_reads_as_an_empty_object()
    {
        await using var fixture = new ExecutorFixture(r => r.MapTask("h", (Optional o) => o.Name));
        var assignment = fixture.Assign("h");
        assignment.Input = ByteString.Empty;
        Assert.Equal("\"nobody\"", ExecutorFixture.Text((await fixture.RunAsync(assignment)).Output));
    }

    [Fact]
    public async Task Bytes_for_a_typed_handler_and_json_for_a_byte_handler_are_refused()
    {
        await using var fixture = new ExecutorFixture(r =>
        {
            r.MapTask("typed", (Request request) => request.N);
            r.MapTask("bytes", (ReadOnlyMemory<byte> input) => input);
        });
        var assignment = fixture.Assign("typed");
        assignment.Input = PayloadCodec.EncodeBytes([1, 2, 3]);
        Assert.Equal(
            "input of 'typed': must be a JSON object (json), got 3 raw bytes (data)", (await fixture.RunAsync(assignment)).Error!.Message);
        Assert.Equal(
            "input of 'bytes': must be bytes (data) or a JSON string, got 5", (await fixture.RunAsync("bytes", "5")).Error!.Message);
        Assert.Equal("hé"u8.ToArray(), Payload.Parser.ParseFrom((await fixture.RunAsync("bytes", "\"hé\"")).Output).Data.ToByteArray());
    }

    [Theory]
    [InlineData(new byte[] { 0x12, 0x05, 0x11 })]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0x12, 0x03, 0x1A, 0x01, 0xFF })]
    public async Task A_malformed_payload_fails_its_task_only(byte[] payload)
    {
        await using var fixture = new ExecutorFixture(r => r.MapTask("h", (string text) => text));
        var assignment = fixture.Assign("h");
        assignment.Input = ByteString.CopyFrom(payload);
        var error = (await fixture.RunAsync(assignment)).Error!;
        Assert.Equal(ErrorReason.Invalid, error.Reason);
        Assert.StartsWith("input of 'h': the payload is malformed", error.Message, StringComparison.Ordinal);
        Assert.Null((await fixture.RunAsync("h", "\"fine\"")).Error);
    }

    private sealed record Request(long N, string Name = "", byte Small = 0, Colour Colour = Colour.Red, List<Point>? Points = null);

    private sealed record Point(double X);

    private sealed record Optional(string Name = "nobody");
}
