using System.Text.Json;
using Grpc.Core;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.TestKit;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Integration.Tests.Interop;

/// <summary>What a new user types: <c>buf curl</c> with only the address and the token.</summary>
public sealed class BufTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private const string Package = "npm install @bufbuild/buf";

    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    [Fact]
    public async Task The_protos_pass_the_linter() => Assert.Empty((await BufAsync("lint", Repository.PathOf("protos"))).Succeeded());

    [Fact]
    public async Task Reflection_lists_the_services()
    {
        var run = await CurlAsync("", ["--list-services"]);
        var services = run.Succeeded().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("orchestrator.v1.TaskService", services);
        Assert.Contains("orchestrator.v1.AdminService", services);
        Assert.Contains("grpc.health.v1.Health", services);
    }

    [Fact]
    public async Task RunTask_answers_with_the_result()
    {
        var run = await CurlAsync(
            "/orchestrator.v1.TaskService/RunTask", ["--data", """{"task":{"handler":"sum_of_squares","input":{"json":{"n":1000000}}}}"""]);
        var result = Assert.Single(Documents(run.Succeeded())).GetProperty("result");
        Assert.Equal("TASK_STATE_SUCCEEDED", result.GetProperty("state").GetString());
        Assert.Equal("333332833333500000", result.GetProperty("output").GetProperty("json").GetString());
    }

    [Fact]
    public async Task StreamTasks_takes_several_messages_and_streams_results_in_order()
    {
        var run = await CurlAsync("/orchestrator.v1.TaskService/StreamTasks", ["--data", """
            {"options":{"order":"RESULT_ORDER_SUBMISSION"},"tasks":[{"handler":"sum_of_squares","input":{"json":{"n":3}},"tag":1}]}
            {"tasks":[{"handler":"sum_of_squares","input":{"json":{"n":4}},"tag":2},{"handler":"no_such_thing","tag":3}]}
            {"tasks":[{"handler":"sum_of_squares","input":{"json":{"n":5}},"tag":4}]}
            """]);
        var results = Documents(run.Succeeded())
            .SelectMany(response => response.TryGetProperty("results", out var items) ? items.EnumerateArray().ToArray() : [])
            .ToArray();
        Assert.Equal(["1", "2", "3", "4"], results.Select(result => result.GetProperty("tag").GetString()));
        Assert.Equal("ERROR_REASON_HANDLER_NOT_FOUND", results[2].GetProperty("error").GetProperty("reason").GetString());
        Assert.Equal(
            [5, 14, 30], new[] { results[0], results[1], results[3] }.Select(
                result => result.GetProperty("output").GetProperty("json").GetDouble()));
    }

    [Fact]
    public async Task A_call_without_the_token_names_the_file_that_holds_it()
    {
        // The schema is given, so that the call itself is rejected and not already the reflection request.
        var run = await BufAsync(
            "curl", "--protocol", "grpc", "--http2-prior-knowledge", "--schema", Repository.PathOf("protos"),
            "--data", "{}", _coordinator.GrpcAddress + "/orchestrator.v1.TaskService/ListHandlers");
        Assert.Equal((int)StatusCode.Unauthenticated << 3, run.ExitCode);
        Assert.Contains("unauthenticated", run.Error, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(_coordinator.DataDirectory, "token"), run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reflection_without_the_token_is_refused_too()
    {
        // The tool takes the status for one of its own registry and prints its own message, without the server's.
        var run = await BufAsync("curl", "--protocol", "grpc", "--http2-prior-knowledge", "--list-services", _coordinator.GrpcAddress);
        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("not authenticated", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("TaskService", run.Output, StringComparison.Ordinal);
    }

    private Task<ToolRun> CurlAsync(string path, IEnumerable<string> arguments) => BufAsync([
        "curl", "--protocol", "grpc", "--http2-prior-knowledge",
        "--header", $"authorization: Bearer {_coordinator.Token}", "--reflect-header", "*",
        .. arguments, _coordinator.GrpcAddress + path,
    ]);

    private static Task<ToolRun> BufAsync(params string[] arguments) =>
        ExternalTool.RunAsync(ExternalTool.Require("buf", Package), arguments);

    /// <summary>Several concatenated JSON documents, as <c>buf curl</c> prints the messages of a stream.</summary>
    private static List<JsonElement> Documents(string output)
    {
        var documents = new List<JsonElement>();
        var reader = new Utf8JsonReader(System.Text.Encoding.UTF8.GetBytes(output), new JsonReaderOptions { AllowMultipleValues = true });
        while (reader.Read())
            documents.Add(JsonElement.ParseValue(ref reader));
        return documents;
    }
}
