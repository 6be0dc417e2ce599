using System.Text.Json;
using Orchestrator.Client.Connection;
using Orchestrator.Integration.Tests.Client;
using Orchestrator.Integration.Tests.Interop;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>
/// Part 5, 21: the token of a data directory is sent only to the coordinator of that directory, and to no other address that a caller
/// names.
/// </summary>
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

    /// <summary>Part 5, 21, by the command and a real socket: the other server would record the token, but never receives it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_command_sends_another_coordinator_an_explicit_token_only(bool byVariable)
    {
        await using var other = await ScriptedCoordinator.StartAsync();
        await File.WriteAllTextAsync(
            Path.Combine(_directory.Path, "token"), ScriptedCoordinator.Token, TestContext.Current.CancellationToken);
        using var endpoint = JsonDocument.Parse(
            await File.ReadAllTextAsync(Path.Combine(other.DataDirectory, "endpoint.json"), TestContext.Current.CancellationToken));
        var address = endpoint.RootElement.GetProperty("grpc").GetString()!;
        string[] variables = byVariable ? [$"ORCHESTRATOR_ENDPOINT={address}", $"ORCHESTRATOR_DATA_DIR={_directory.Path}"] : [];
        string[] options = byVariable ? [] : ["--endpoint", address, "--data-dir", _directory.Path];
        string[] command = [.. variables, CoordinatorProcess.CommandPath, "run", "echo", "1", .. options];
        var refused = await ExternalTool.RunAsync("env", command);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("no such token", refused.Error + refused.Output, StringComparison.Ordinal);
        (await ExternalTool.RunAsync("env", [.. command, "--token", ScriptedCoordinator.Token])).Succeeded();
    }
}
