using CsCheck;
using Orchestrator.Handlers;
using Orchestrator.Handlers.Common;

namespace Orchestrator.Worker.Tests.Handlers;

/// <summary>The arguments with which the command starts its own workers.</summary>
public sealed class StockWorkerArgumentsTests
{
    private static readonly Gen<string[]> s_texts = Gen.String.Array[0, 3];

    [Fact]
    public void What_is_formatted_is_parsed_again() =>
        Gen.Select(Gen.Bool, Gen.Bool, s_texts, s_texts, s_texts).Sample((chaos, grpc, allowed, denied, urls) =>
        {
            var options = new StockHandlerOptions { AllowChaos = chaos };
            Add(options.AllowedDirectories, allowed);
            Add(options.DeniedDirectories, denied);
            Add(options.AllowedUrlPrefixes, urls);
            var arguments = StockWorkerArguments.Format(options, grpc).ToArray();
            var parsed = StockWorkerArguments.Parse(arguments, out var servesGrpc)!;
            Assert.Equal(grpc, servesGrpc);
            Assert.Equal(chaos, parsed.AllowChaos);
            Assert.Equal(allowed, parsed.AllowedDirectories);
            Assert.Equal(denied, parsed.DeniedDirectories);
            Assert.Equal(urls, parsed.AllowedUrlPrefixes);
        });

    [Theory]
    [InlineData("--allow-everything")]
    [InlineData("--allow-directory")]
    [InlineData("--deny-directory")]
    [InlineData("--allow-url")]
    [InlineData("directory")]
    public void What_is_not_understood_gives_no_options(string argument) =>
        Assert.Null(StockWorkerArguments.Parse(["--allow-chaos", argument], out _));

    private static void Add(ICollection<string> to, IEnumerable<string> values)
    {
        foreach (var value in values)
            to.Add(value);
    }
}
