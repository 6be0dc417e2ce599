using System.Text;
using Grpc.Core;
using Orchestrator.Cli.Common;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>Part 5, 29: mistakes in input, command line, certificates and messages each produce one line that says what is wrong.</summary>
public sealed class ClearLineTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private string[] At => ["--data-dir", shared.Coordinator.DataDirectory];

    [Theory]
    [InlineData("""
        "\ud800"
        """)]
    [InlineData("""
        "\udc00 and more"
        """)]
    [InlineData("""
        {"\ud800": 1}
        """)]
    [InlineData("""
        {"a": [1, {"b": "\ud83d!"}]}
        """)]
    public async Task Half_of_a_surrogate_pair_is_refused_by_every_verb_that_takes_a_value(string json)
    {
        json = json.Trim();
        foreach (var verb in (string[][])[
            ["run", "echo", json], ["dict", "set", "d", "k", json], ["queue", "put", "q", json], ["list", "append", "l", json]])
        {
            var (code, output) = await TestKit.CommandLine.RunAsync([.. verb, .. At]);
            Assert.True(code == ExitCode.Usage, $"{verb[0]} ended with {code}: {output}");
            Assert.StartsWith("orchestrator: ", Assert.Single(output.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
            Assert.Contains("holds half of a surrogate pair", output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("1e400", "\"1e400\"")]
    [InlineData("-1e400", "\"-1e400\"")]
    [InlineData("[1.5e999]", "[\"1.5e999\"]")]
    [InlineData("1e300", "1E+300")]
    [InlineData("18446744073709551616", "\"18446744073709551616\"")]
    public async Task A_number_that_no_double_holds_travels_as_its_text(string json, string expected)
    {
        var (code, output) = await TestKit.CommandLine.RunAsync(["run", "echo", json, .. At]);
        Assert.Equal((ExitCode.Ok, expected), (code, output.Trim()));
    }

    [Theory]
    [InlineData("There is no command 'runn' here. Did you mean 'run'? See 'orchestrator --help'.", "runn", "x")]
    [InlineData("There is no command 'tsks' here. Did you mean 'tasks'? See 'orchestrator --help'.", "tsks")]
    [InlineData("There is no command 'putt' here. Did you mean 'put'? See 'orchestrator queue --help'.", "queue", "putt", "a", "b")]
    [InlineData("There is no command 'frobnicate' here. See 'orchestrator --help'.", "frobnicate")]
    [InlineData("There is no option '--endpint' here. Did you mean '--endpoint'? See 'orchestrator status --help'.", "--endpint", "x",
        "status")]
    [InlineData("There is no option '--run-tiemout' here. Did you mean '--run-timeout'? See 'orchestrator run --help'.", "run", "echo",
        "--run-tiemout", "3")]
    [InlineData("'x' is one argument too many. See 'orchestrator status --help'.", "status", "x")]
    public async Task What_was_mistyped_is_named_with_what_was_probably_meant(string expected, params string[] arguments)
    {
        var (code, output) = await TestKit.CommandLine.RunAsync(arguments);
        Assert.Equal((ExitCode.Usage, $"orchestrator: {expected}\n"), (code, output));
    }

    [Fact]
    public async Task A_coordinator_that_asks_for_client_certificates_says_what_is_missing()
    {
        using var certificates = new TestCertificates();
        using var others = new TestCertificates("another authority");
        var (certificate, key) = certificates.Server();
        await using var coordinator = await CoordinatorProcess.StartAsync(
            "--listen", "0.0.0.0", "--tls-cert", certificate, "--tls-key", key, "--client-ca", certificates.Authority, "--workers", "0");
        string[] at = ["status", "--endpoint", coordinator.GrpcAddress, "--token", coordinator.Token];
        string[] trusting = [.. at, "--ca", certificates.Authority];
        await FailsAsync(trusting, "it asks for a client certificate, and this client shows none. Name one with --cert and --key");
        var (wrong, wrongKey) = others.Client();
        await FailsAsync(
            [.. trusting, "--cert", wrong, "--key", wrongKey], "it takes only those of the authority that it was given with --client-ca");
        await FailsAsync([.. trusting, "--cert", wrong], "--key is missing");
        await FailsAsync(at, "Name the authority of its certificate with --ca");
        await FailsAsync(["status", "--endpoint", coordinator.GrpcAddress.Replace("https", "http", StringComparison.Ordinal)],
            "The address of a coordinator with a certificate begins with https://");
        await FailsAsync(["status", "--endpoint", coordinator.HttpAddress, "--ca", certificates.Authority],
            "this is its HTTP port, and gRPC is on another");
        await FailsAsync(["status", "--endpoint", shared.Coordinator.GrpcAddress.Replace("http", "https", StringComparison.Ordinal)],
            "The address of a coordinator without a certificate begins with http://");
        // With its data directory, the owner reaches it by the token and the socket, but a certificate that is named must be valid.
        var (code, output) = await TestKit.CommandLine.RunAsync(
            "status", "--data-dir", coordinator.DataDirectory, "--ca", certificates.Authority);
        Assert.True(code == ExitCode.Ok && output.Contains(" at unix:/", StringComparison.Ordinal), output);
        await FailsAsync(["status", "--data-dir", coordinator.DataDirectory, "--ca", certificates.Authority, "--cert", wrong, "--key",
            wrongKey], "it takes only those of the authority");
        await FailsAsync(
            ["status", "--data-dir", coordinator.DataDirectory, "--ca", certificates.Authority, "--cert", wrong], "--key is missing");
    }

    [Theory]
    [InlineData(167_772_161)]
    [InlineData(2_147_483_647)]
    [InlineData(2_147_483_648)]
    [InlineData(4_294_967_295)]
    public async Task A_message_that_announces_too_much_is_a_limit_and_no_fault_of_the_server(uint length)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        foreach (var method in new[] { "TaskService/RunTask", "TaskService/StreamTasks", "QueueService/Put", "SessionService/Connect" })
        {
            using var connection = new RawHttp2(shared.Coordinator.GrpcAddress);
            await connection.Begin()
                .Call(1, $"/orchestrator.v1.{method}", more: ("authorization", $"Bearer {shared.Coordinator.Token}"))
                .Frame(RawHttp2.Data, 0, 1, [0, (byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length, 1, 2, 3])
                .SendAsync(limit.Token);
            var answer = new StringBuilder();
            (byte Type, byte Flags, int Stream, byte[] Payload)? frame;
            do
            {
                frame = await connection.ReadAsync(limit.Token);
                Assert.NotNull(frame);
                if (frame.Value.Type == RawHttp2.Headers)
                    answer.Append(Encoding.Latin1.GetString(frame.Value.Payload));
            }
            while (frame.Value.Stream != 1 || (frame.Value.Flags & RawHttp2.EndStream) == 0);
            Assert.Contains($"the request announces a message of {length:N0} bytes", answer.ToString(), StringComparison.Ordinal);
            Assert.Contains("(message_bytes)", answer.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_expired_dependency_and_ids_beyond_a_signed_number_are_named()
    {
        var tasks = shared.Coordinator.Tasks;
        var expired = (await tasks.SubmitTasksAsync(
            new SubmitTasksRequest { Tasks = { Specs.Json("echo", "1", new TaskOptions { ResultTtl = Specs.Seconds(0) }) } },
            CoordinatorProcess.Deadline())).TaskIds.Single();
        await Waits.UntilAsync(async () =>
        {
            try
            {
                await tasks.GetTaskAsync(new GetTaskRequest { TaskId = expired }, CoordinatorProcess.Deadline());
                return false;
            }
            catch (RpcException exception) when (exception.StatusCode == StatusCode.NotFound)
            {
                Assert.Equal($"task {expired} is no longer known: it has ended, and its result is no longer kept", exception.Status.Detail);
                return true;
            }
        });
        foreach (var (id, expected) in new[] { (expired, "it has ended, and its result is no longer kept"),
            (ulong.MaxValue, "task 18446744073709551615 is unknown: no task has had this id") })
        {
            var refused = await Assert.ThrowsAsync<RpcException>(async () => await tasks.SubmitTasksAsync(
                new SubmitTasksRequest { Tasks = { Specs.Json("echo", "1", new TaskOptions { DependsOn = { id } }) } },
                CoordinatorProcess.Deadline()));
            Assert.Equal(StatusCode.NotFound, refused.StatusCode);
            Assert.Contains(expected, refused.Status.Detail, StringComparison.Ordinal);
            foreach (var ask in (Func<Task>[])[
                async () => await tasks.GetTaskAsync(new GetTaskRequest { TaskId = id }, CoordinatorProcess.Deadline()),
                async () => await tasks.WaitTasksAsync(new WaitTasksRequest { TaskIds = { id } }, CoordinatorProcess.Deadline()),
                async () => await tasks.WatchTasks(
                    new WatchTasksRequest { TaskIds = { id } }, CoordinatorProcess.Deadline()).ResponseStream.MoveNext()])
            {
                Assert.Contains(expected, (await Assert.ThrowsAsync<RpcException>(ask)).Status.Detail, StringComparison.Ordinal);
            }

            Assert.Empty((await tasks.CancelTasksAsync(
                new CancelTasksRequest { TaskIds = { id } }, CoordinatorProcess.Deadline())).CancelledTaskIds);
        }
    }

    [Fact]
    public async Task A_cancelled_head_is_named_with_its_state_at_the_end_of_a_long_chain()
    {
        const int Length = 1_000;
        var tasks = shared.Coordinator.Tasks;
        var head = (await tasks.SubmitTasksAsync(
            new SubmitTasksRequest { Tasks = { Specs.Json("sleep", """{"ms": 60000}""") } },
            CoordinatorProcess.Deadline())).TaskIds.Single();
        var last = head;
        await using var client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { DataDirectory = shared.Coordinator.DataDirectory });
        for (var i = 0; i < Length; i++)
            last = (await client.Contract.SubmitAsync([Specs.Json("echo", "1", new TaskOptions { DependsOn = { last } })]))[0];
        await client.CancelAsync([head]);
        var end = Assert.Single((await client.Contract.WaitAsync([last])).Done);
        Assert.Equal((TaskState.Failed, ErrorReason.DependencyFailed), (end.State, end.Error.Reason));
        Assert.Equal($"task {head} (sleep) ended CANCELLED, and this task depends on it, directly or through others", end.Error.Message);
    }

    private static async Task FailsAsync(string[] arguments, string expected)
    {
        var (code, output) = await TestKit.CommandLine.RunAsync(arguments);
        Assert.True(code == ExitCode.CannotConnect, $"{string.Join(' ', arguments)} ended with {code}: {output}");
        Assert.StartsWith("orchestrator: ", Assert.Single(output.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
        Assert.Contains(expected, output, StringComparison.Ordinal);
    }
}
