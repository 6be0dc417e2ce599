using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Orchestrator.Dashboard;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Dashboard;

/// <summary>The services as JSON over HTTP.</summary>
public sealed class JsonCallTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    public static TheoryData<string> Methods => [.. ServiceCatalog.All.Keys];

    [Fact]
    public async Task A_task_runs_with_a_token_and_one_line()
    {
        var (status, answer) = await PostAsync("TaskService/RunTask", """{"task":{"handler":"fibonacci","input":{"json":{"n":30}}}}""");
        Assert.Equal(HttpStatusCode.OK, status);
        var result = JsonDocument.Parse(answer).RootElement.GetProperty("result");
        Assert.Equal("TASK_STATE_SUCCEEDED", result.GetProperty("state").GetString());
        Assert.Contains("832040", result.GetProperty("output").GetRawText(), StringComparison.Ordinal);
    }

    /// <summary>Every method is known, none of them without a credential.</summary>
    [Theory]
    [MemberData(nameof(Methods))]
    public async Task Each_method_needs_a_credential(string method)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var response = await http.PostAsync(
            new Uri($"{_coordinator.HttpAddress}/api/{method}"), new StringContent("{}", new MediaTypeHeaderValue("application/json")));
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Theory]
    [InlineData("TaskService/RunTask", "{\"tusk\":{}}", 400, "invalid_argument", "tusk")]
    [InlineData("TaskService/RunTask", "{", 400, "invalid_argument", "RunTaskRequest")]
    [InlineData("TaskService/RunTask", "[]", 400, "invalid_argument", "RunTaskRequest")]
    [InlineData("TaskService/RunTask", "{}", 400, "invalid_argument", "task")]
    [InlineData("TaskService/GetTask", "{\"taskId\":\"999999999\"}", 404, "not_found", "999999999")]
    [InlineData("TaskService/StreamTasks", "{}", 501, "unimplemented", "gRPC")]
    [InlineData("TaskService/Nothing", "{}", 404, "unimplemented", "Nothing")]
    public async Task An_error_has_a_code_and_says_what_is_wrong(string method, string request, int status, string code, string says)
    {
        var (got, answer) = await PostAsync(method, request);
        Assert.Equal(status, (int)got);
        var error = JsonDocument.Parse(answer).RootElement;
        Assert.Equal(code, error.GetProperty("code").GetString());
        Assert.Contains(says, error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_JSON_of_a_bounded_size_is_read()
    {
        var (status, _) = await PostAsync("AdminService/GetStatus", "{}", type: "text/plain");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, status);
        (status, var answer) = await PostAsync("AdminService/GetStatus", new string(' ', JsonBody.MaxBytes + 1));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
        Assert.Contains("gRPC", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_has_a_time_limit_if_it_asks_for_one()
    {
        var (status, answer) = await PostAsync(
            "TaskService/RunTask", """{"task":{"handler":"sleep","input":{"json":{"ms":60000}}}}""", timeout: "200");
        Assert.Equal(HttpStatusCode.GatewayTimeout, status);
        Assert.Contains("deadline_exceeded", answer, StringComparison.Ordinal);
        (status, _) = await PostAsync("AdminService/GetStatus", "{}", timeout: "soon");
        Assert.Equal(HttpStatusCode.BadRequest, status);
    }

    [Fact]
    public async Task A_stream_of_answers_comes_line_by_line()
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var request = Request("AdminService/WatchEvents", """{"newest": 1}""");
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("application/x-ndjson", response.Content.Headers.ContentType!.MediaType);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.True(JsonDocument.Parse((await lines.ReadLineAsync())!).RootElement.TryGetProperty("kind", out _));
    }

    private HttpRequestMessage Request(string method, string json, string type = "application/json")
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"{_coordinator.HttpAddress}/api/orchestrator.v1.{method}"))
        {
            Content = new StringContent(json, Encoding.UTF8, new MediaTypeHeaderValue(type)),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _coordinator.Token);
        return request;
    }

    private async Task<(HttpStatusCode Status, string Answer)> PostAsync(
        string method, string json, string type = "application/json", string? timeout = null)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var request = Request(method, json, type);
        if (timeout is not null)
            request.Headers.Add("connect-timeout-ms", timeout);
        using var response = await http.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
