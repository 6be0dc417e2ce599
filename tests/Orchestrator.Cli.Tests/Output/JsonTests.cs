using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Tests.Output;

/// <summary>Documents that verbs print with <c>-o json</c>.</summary>
public sealed class JsonTests
{
    [Theory]
    [InlineData(1.5, "1.5")]
    [InlineData(0.0, "0")]
    [InlineData(double.PositiveInfinity, "null")]
    [InlineData(double.NegativeInfinity, "null")]
    [InlineData(double.NaN, "null")]
    public void A_number_that_json_cannot_hold_is_null(double number, string expected)
    {
        using var output = new StringWriter();
        new Terminal(json: true, output, TextWriter.Null).WriteJson(new { number, maybe = (double?)number });
        Assert.Equal($"{{\"number\":{expected},\"maybe\":{expected}}}", string.Concat(output.ToString().Where(c => !char.IsWhiteSpace(c))));
    }
}
