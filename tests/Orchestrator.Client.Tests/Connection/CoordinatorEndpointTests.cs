using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.TestKit;

namespace Orchestrator.Client.Tests.Connection;

/// <summary>Where a client looks for its coordinator, and what it says where none is found.</summary>
public sealed class CoordinatorEndpointTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string FilePath => Path.Combine(_directory.Path, "endpoint.json");

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("""{"grpc": "http://127.0.0.1:1"}""", "http://127.0.0.1:1/", null)]
    [InlineData("""{"grpc": "http://127.0.0.1:1", "local": null}""", "http://127.0.0.1:1/", null)]
    [InlineData("""{"grpc": "http://127.0.0.1:1", "local": "unix:/s", "more": [1]}""", "http://127.0.0.1:1/", "unix:/s")]
    [InlineData("""{"grpc": "unix:/s", "local": "unix:/s"}""", "unix:/s", null)]
    [InlineData("""{"grpc": "https://[::1]:1", "local": "unix:/s"}""", "https://[::1]:1/", "unix:/s")]
    public void The_file_names_a_port_and_a_socket(string content, string address, string? socket)
    {
        File.WriteAllText(FilePath, content);
        var endpoint = Locate();
        Assert.Equal(new Uri(address), endpoint.Address);
        Assert.Equal(socket is null ? null : new Uri(socket), endpoint.LocalSocket);
        Assert.Equal($"from {FilePath}", endpoint.AddressSource);
        if (socket is not null)
            Assert.Equal((new Uri(socket), null), (endpoint.ByLocalSocket().Address, endpoint.ByLocalSocket().LocalSocket));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"grpc": 7600}""")]
    [InlineData("""{"grpc": null}""")]
    [InlineData("""{"grpc": ""}""")]
    [InlineData("""{"grpc": "ftp://127.0.0.1"}""")]
    [InlineData("""{"grpc": "127.0.0.1:7600"}""")]
    [InlineData("""{"grpc": "http://127.0.0.1:1", "local": "relative/socket"}""")]
    public void A_file_that_names_no_address_is_named(string content)
    {
        File.WriteAllText(FilePath, content);
        var error = Assert.Throws<CoordinatorUnavailableException>(Locate);
        Assert.Contains(FilePath, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Without_a_file_the_error_says_how_to_start_a_coordinator()
    {
        var error = Assert.Throws<CoordinatorUnavailableException>(Locate);
        Assert.Contains($"{FilePath} does not exist. Start one with 'orchestrator serve'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("here", "here")]
    [InlineData("  here\n", "here")]
    [InlineData(null, null)]
    public void The_token_lies_beside_the_address(string? content, string? token)
    {
        File.WriteAllText(FilePath, """{"grpc": "http://127.0.0.1:1"}""");
        var path = Path.Combine(_directory.Path, "token");
        if (content is not null)
            File.WriteAllText(path, content);
        var endpoint = Locate();
        Assert.Equal(token, endpoint.Token);
        Assert.Equal(token is null ? $"none was given, and {path} cannot be read" : $"from {path}", endpoint.TokenSource);
    }

    [Fact]
    public void What_is_given_goes_before_what_lies_there()
    {
        File.WriteAllText(FilePath, """{"grpc": "http://127.0.0.1:1"}""");
        File.WriteAllText(Path.Combine(_directory.Path, "token"), "lies there");
        var endpoint = CoordinatorEndpoint.Locate(
            new OrchestratorClientOptions { DataDirectory = _directory.Path, Endpoint = "http://127.0.0.1:2", Token = "given" });
        Assert.Equal((new Uri("http://127.0.0.1:2"), "given explicitly"), (endpoint.Address, endpoint.AddressSource));
        Assert.Equal(("given", "given explicitly"), (endpoint.Token, endpoint.TokenSource));
        Assert.Null(endpoint.LocalSocket);
    }

    [Theory]
    [InlineData("ftp://127.0.0.1")]
    [InlineData("127.0.0.1:7600")]
    [InlineData("relative")]
    public void An_address_of_another_kind_is_refused_with_an_example(string address)
    {
        var error = Assert.Throws<CoordinatorUnavailableException>(() => CoordinatorEndpoint.Locate(
            new OrchestratorClientOptions { DataDirectory = _directory.Path, Endpoint = address }));
        Assert.Contains($"'{address}' (given explicitly) is not an address such as http://127.0.0.1:7600", error.Message,
            StringComparison.Ordinal);
    }

    private CoordinatorEndpoint Locate() => CoordinatorEndpoint.Locate(new OrchestratorClientOptions { DataDirectory = _directory.Path });
}
