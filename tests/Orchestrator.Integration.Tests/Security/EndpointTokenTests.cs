using System.Text.Json;
using Orchestrator.Client.Tests;
using Orchestrator.Integration.Tests.Interop;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>
/// Part 5, 21: the token of a data directory is sent only to the coordinator of that directory, and to no other address that a caller
/// names.
/// </summary>
public sealed class EndpointTokenTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public EndpointTokenTests() =>
        File.WriteAllText(Path.Combine(_directory.Path, "endpoint.json"), JsonSerializer.Serialize(
            new { grpc = "http://127.0.0.1:7600", local = "unix:///run/own.sock", http = "", pid = 1 }));

    public void Dispose() => _directory.Dispose();

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
