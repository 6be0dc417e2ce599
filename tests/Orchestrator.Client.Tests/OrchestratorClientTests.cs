using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Contract;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.V1;

namespace Orchestrator.Client.Tests;

/// <summary>Finding the coordinator, authenticating to it, and how its errors map to exceptions.</summary>
public sealed class OrchestratorClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Without_a_coordinator_the_error_names_the_file_and_the_command()
    {
        var directory = Path.Combine(Path.GetTempPath(), "orchestrator-nowhere");
        var error = await Assert.ThrowsAsync<CoordinatorUnavailableException>(
            () => OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { DataDirectory = directory }));
        Assert.Contains(Path.Combine(directory, "endpoint.json"), error.Message, StringComparison.Ordinal);
        Assert.Contains("orchestrator serve", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_coordinator_that_has_ended_is_unavailable_and_the_error_says_where_the_address_came_from()
    {
        var server = await ScriptedCoordinator.StartAsync();
        var address = (await server.ConnectAsync()).Address;
        await server.DisposeAsync();
        var error = await Assert.ThrowsAsync<CoordinatorUnavailableException>(
            () => OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { Endpoint = address.ToString() }).WaitAsync(Patience));
        Assert.Contains("given explicitly", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_token_is_not_allowed_and_the_error_says_where_it_came_from()
    {
        await using var server = await ScriptedCoordinator.StartAsync();
        await File.WriteAllTextAsync(Path.Combine(server.DataDirectory, "token"), "wrong");
        var error = await Assert.ThrowsAsync<AccessDeniedException>(() => server.ConnectAsync().WaitAsync(Patience));
        Assert.Contains(Path.Combine(server.DataDirectory, "token"), error.Message, StringComparison.Ordinal);
        File.Delete(Path.Combine(server.DataDirectory, "token"));
        error = await Assert.ThrowsAsync<AccessDeniedException>(() => server.ConnectAsync().WaitAsync(Patience));
        Assert.Contains("none was given", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_kind_of_call_carries_the_token()
    {
        await using var server = await ScriptedCoordinator.StartAsync();
        await using var client = await server.ConnectAsync();
        await client.Contract.RunTaskAsync(new TaskSpec { Handler = "echo" }).WaitAsync(Patience);
        await using var stream = client.Contract.OpenTaskStream();
        await stream.CompleteAsync().WaitAsync(Patience);
        await foreach (var unused in client.Contract.WatchTasksAsync([1]))
            Assert.Fail($"unexpected {unused}");
        for (var i = 0; i < 3; i++)
            Assert.Equal("Bearer " + ScriptedCoordinator.Token, await server.Tokens.ReadAsync().AsTask().WaitAsync(Patience));
    }

    public static TheoryData<ErrorReason> Reasons() => [.. System.Enum.GetValues<ErrorReason>()];

    [Theory]
    [MemberData(nameof(Reasons))]
    public async Task Each_reason_crosses_the_wire(ErrorReason reason)
    {
        var name = CommonReflection.Descriptor.FindTypeByName<Google.Protobuf.Reflection.EnumDescriptor>("ErrorReason")
            .FindValueByNumber((int)reason).Name["ERROR_REASON_".Length..];
        await using var server = await ScriptedCoordinator.StartAsync(run: _ => throw Rich(
            Code.FailedPrecondition, "because", new ErrorInfo { Domain = "orchestrator", Reason = name }));
        await using var client = await server.ConnectAsync();
        var error = await Assert.ThrowsAnyAsync<OrchestratorException>(
            () => client.Contract.RunTaskAsync(new TaskSpec()).WaitAsync(Patience));
        Assert.Equal((FailureReason)reason, error.Reason);
        // An exception type of its own has exactly one status, the one of its reason.
        if (error.GetType() == typeof(OrchestratorException))
            Assert.Equal(StatusCode.FailedPrecondition, error.StatusCode);
        Assert.Equal("because", error.Message);
    }

    [Fact]
    public async Task A_reached_limit_says_when_to_come_back()
    {
        await using var server = await ScriptedCoordinator.StartAsync(run: _ => throw Rich(
            Code.ResourceExhausted,
            "full",
            new ErrorInfo { Domain = "orchestrator", Reason = "LIMIT_EXCEEDED" },
            new RetryInfo { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromSeconds(3)) }));
        await using var client = await server.ConnectAsync();
        var error = await Assert.ThrowsAsync<ResourceExhaustedException>(
            () => client.Contract.RunTaskAsync(new TaskSpec()).WaitAsync(Patience));
        Assert.Equal(TimeSpan.FromSeconds(3), error.RetryAfter);
    }

    [Theory]
    [InlineData("""{"n":1000,"list":[1,2.5,null,true,"é"]}""")]
    [InlineData("9007199254740992")]
    [InlineData("-9007199254740992")]
    [InlineData("1E+300")]
    [InlineData("\"text\"")]
    public void Json_comes_back_as_it_was(string json) => Assert.Equal(json, Payloads.ToJson(Payloads.FromJson(json)));

    [Theory]
    [InlineData("9007199254740993")]
    [InlineData("-9223372036854775808")]
    [InlineData("123456789012345678901234567890")]
    public void An_integer_that_a_double_cannot_hold_travels_as_text(string digits) =>
        Assert.Equal(digits, Payloads.FromJson(digits).Json.StringValue);

    private static RpcException Rich(Code code, string message, params IMessage[] details)
    {
        var status = new Google.Rpc.Status { Code = (int)code, Message = message };
        status.Details.AddRange(details.Select(Any.Pack));
        return status.ToRpcException();
    }
}
