using System.Text.Json;
using Orchestrator.Client.Connection;
using Orchestrator.TestKit;

namespace Orchestrator.Client.Tests.Connection;

/// <summary>Part 5, 21: the token of a data directory is sent only to the coordinator of that directory.</summary>
public sealed class EndpointTokenTests : IDisposable
{
    private const string Own = "http://127.0.0.1:7600";
    private const string Socket = "unix:///run/own.sock";
    private readonly TemporaryDirectory _directory = new();

    public EndpointTokenTests()
    {
        File.WriteAllText(Path.Combine(_directory.Path, "token"), "secret");
        File.WriteAllText(Path.Combine(_directory.Path, "endpoint.json"), JsonSerializer.Serialize(
            new { grpc = Own, local = Socket, http = "", pid = 1 }));
    }

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(null, null, "secret")]
    [InlineData(Own, null, "secret")]
    [InlineData(Own + "/", null, "secret")]
    [InlineData(Socket, null, "secret")]
    [InlineData("http://127.0.0.1:7601", null, null)]
    [InlineData("http://127.0.0.2:7600", null, null)]
    [InlineData("https://127.0.0.1:7600", null, null)]
    [InlineData("http://elsewhere.example:7600", null, null)]
    [InlineData("unix:///run/other.sock", null, null)]
    [InlineData("http://elsewhere.example:7600", "explicit", "explicit")]
    public void An_address_that_is_not_the_coordinators_own_gets_an_explicit_token_only(string? endpoint, string? token, string? sent)
    {
        var located = CoordinatorEndpoint.Locate(
            new OrchestratorClientOptions { DataDirectory = _directory.Path, Endpoint = endpoint, Token = token });
        Assert.Equal(sent, located.Token);
        if (sent is null)
            Assert.Contains("only sent to its own coordinator", located.TokenSource, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_an_endpoint_file_no_address_is_its_own()
    {
        File.Delete(Path.Combine(_directory.Path, "endpoint.json"));
        Assert.Null(CoordinatorEndpoint.Locate(new OrchestratorClientOptions { DataDirectory = _directory.Path, Endpoint = Own }).Token);
    }
}
