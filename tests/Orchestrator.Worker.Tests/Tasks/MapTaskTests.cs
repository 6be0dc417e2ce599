using System.Runtime.CompilerServices;
using Google.Protobuf;
using Orchestrator.Client.Tasks;
using Orchestrator.V1;
using Orchestrator.Worker.Payloads;
using Orchestrator.Worker.Tasks;
using HandlerKind = Orchestrator.Worker.Tasks.HandlerKind;

namespace Orchestrator.Worker.Tests.Tasks;

/// <summary>The forms of handlers, and the functions that mapping them returns.</summary>
public sealed class MapTaskTests
{
    private readonly TaskHandlerRegistry _registry = new();

    [Fact]
    public async Task A_handler_without_an_input_is_a_function_of_nothing()
    {
        var answer = _registry.MapTask("sync", () => 42);
        var later = _registry.MapTask("async", async () =>
        {
            await Task.Yield();
            return "done";
        });
        var ran = false;
        var action = _registry.MapTask("action", () =>
        {
            ran = true;
            return Task.CompletedTask;
        });
        Assert.Equal(42, await CallAsync(answer, default));
        Assert.Equal("done", await CallAsync(later, default));
        Assert.Equal(default, await CallAsync(action, default));
        Assert.True(ran);
        Assert.Equal([HandlerKind.Cpu, HandlerKind.Io, HandlerKind.Io], _registry.Handlers.Select(handler => handler.Kind));
    }

    [Fact]
    public async Task A_synchronous_handler_takes_its_input_and_a_token_or_its_context()
    {
        var plain = _registry.MapTask("plain", (long n) => n * n);
        var token = _registry.MapTask("token", (long n, CancellationToken ct) => ct.CanBeCanceled ? n + 1 : 0);
        var context = _registry.MapTask("context", (long n, TaskContext context) => $"{context.Handler} {n}");
        Assert.Equal(144, await CallAsync(plain, 12));
        Assert.Equal(13, await CallAsync(token, 12));
        Assert.Equal("context 12", await CallAsync(context, 12));
        Assert.All(_registry.Handlers, handler => Assert.Equal(HandlerKind.Cpu, handler.Kind));
    }

    [Fact]
    public async Task An_asynchronous_handler_takes_its_input_and_a_token_or_its_context()
    {
        var plain = _registry.MapTask("plain", (long n) => Task.FromResult(n * n));
        var token = _registry.MapTask("token", async (long n, CancellationToken ct) =>
        {
            await Task.Yield();
            return ct.CanBeCanceled ? n + 1 : 0;
        });
        var context = _registry.MapTask("context", (long n, TaskContext context) => Task.FromResult($"{context.Handler} {n}"));
        Assert.Equal(144, await CallAsync(plain, 12));
        Assert.Equal(13, await CallAsync(token, 12));
        Assert.Equal("context 12", await CallAsync(context, 12));
        Assert.All(_registry.Handlers, handler => Assert.Equal(HandlerKind.Io, handler.Kind));
    }

    [Fact]
    public async Task An_action_has_no_output()
    {
        var seen = new List<long>();
        var plain = _registry.MapTask("plain", async (long n) =>
        {
            await Task.Yield();
            seen.Add(n);
        });
        var token = _registry.MapTask("token", (long n, CancellationToken ct) =>
        {
            seen.Add(ct.CanBeCanceled ? n : 0);
            return Task.CompletedTask;
        });
        var context = _registry.MapTask("context", (long n, TaskContext context) =>
        {
            seen.Add(context.Attempt + n);
            return Task.CompletedTask;
        });
        Assert.Equal(default, await CallAsync(plain, 1));
        Assert.Equal(default, await CallAsync(token, 2));
        Assert.Equal(default, await CallAsync(context, 3));
        Assert.Equal([1, 2, 4], seen);
    }

    [Fact]
    public async Task A_generator_returns_how_many_elements_it_sent()
    {
        var token = _registry.MapTask<int, int>("token", CountAsync);
        var context = _registry.MapTask("context", (int n, TaskContext context) => CountAsync(n, context.CancellationToken));
        Assert.Equal(3, await CallAsync(token, 3));
        Assert.Equal(2, await CallAsync(context, 2));
        Assert.All(_registry.Handlers, handler => Assert.Equal(HandlerKind.Io, handler.Kind));
    }

    [Fact]
    public async Task Bytes_and_payloads_pass_as_they_are()
    {
        var array = _registry.MapTask("array", (byte[] bytes) => Enumerable.Reverse(bytes).ToArray());
        var memory = _registry.MapTask("memory", (ReadOnlyMemory<byte> bytes) => bytes[1..]);
        var payload = _registry.MapTask("payload", (TaskPayload payload) => payload);
        Assert.Equal([2, 1], await CallAsync(array, [1, 2]));
        Assert.Equal([2, 3], (await CallAsync(memory, (ReadOnlyMemory<byte>)new byte[] { 1, 2, 3 })).ToArray());
        var sent = TaskPayload.FromBytes([1, 2, 3]);
        Assert.Equal(sent, await CallAsync(payload, sent));
    }

    [Fact]
    public async Task Both_sides_use_the_json_of_the_handler()
    {
        var json = new System.Text.Json.JsonSerializerOptions
        {
            PropertyNamingPolicy = System.Text.Json.JsonNamingPolicy.SnakeCaseUpper,
            TypeInfoResolver = new System.Text.Json.Serialization.Metadata.DefaultJsonTypeInfoResolver(),
        };
        var function = _registry.MapTask("own", (Pair pair) => pair with { FirstOne = pair.FirstOne + 1 }, new() { Json = json });
        Assert.Equal("""{"FIRST_ONE":1}""", PayloadText(function.Encode(new Pair(1))));
        Assert.Equal(new Pair(2), await CallAsync(function, new Pair(1)));
    }

    [Fact]
    public void The_options_decide_where_it_runs_and_what_is_shown()
    {
        _registry.MapTask("read", (string path) => path, new() { Kind = HandlerKind.Blocking, Description = "Reads.", Example = "\"a\"" });
        var info = Assert.Single(_registry.Handlers).ToHandlerInfo();
        Assert.Equal(("read", Orchestrator.V1.TaskKind.Blocking, "Reads."), (info.Name, info.Kind, info.Description));
        Assert.Equal("\"a\"", PayloadText(info.ExampleInput));
    }

    [Fact]
    public void What_cannot_be_run_is_refused_when_it_is_mapped()
    {
        AssertRefused("ValueTask", () => _registry.MapTask("h", (int n) => new ValueTask<int>(n)));
        AssertRefused("IAsyncEnumerable", () => _registry.MapTask("h", (int n) => CountAsync(n, default)));
        AssertRefused("TaskContext", () => _registry.MapTask("h", (TaskContext context) => context.Attempt));
        AssertRefused("CancellationToken", () => _registry.MapTask("h", (CancellationToken ct) => Task.FromCanceled(ct)));
        AssertRefused("kinds", () => _registry.MapTask("h", (int n) => n, new() { Kind = (HandlerKind)9 }));
        Assert.Empty(_registry.Handlers);
    }

    [Fact]
    public void Nothing_is_null_in_json()
    {
        Assert.Equal("null", System.Text.Json.JsonSerializer.Serialize(default(Unit)));
        Assert.Equal(default, System.Text.Json.JsonSerializer.Deserialize<Unit>("null"));
        Assert.Equal(default, TaskFunction.Json<Unit, Unit>("h").Decode(new Payload()));
    }

    private static void AssertRefused(string reason, Action map) =>
        Assert.Contains(reason, Assert.Throws<ArgumentException>(map).Message, StringComparison.Ordinal);

    private static string PayloadText(Payload payload) =>
        JsonFormatter.Default.Format(payload.Json).Replace(" ", "", StringComparison.Ordinal);

    private static async IAsyncEnumerable<int> CountAsync(int n, [EnumeratorCancellation] CancellationToken ct)
    {
        for (var i = 0; i < n; i++)
        {
            await Task.Yield();
            ct.ThrowIfCancellationRequested();
            yield return i;
        }
    }

    /// <summary>Runs a task as a client does: the function encodes the input and decodes the output.</summary>
    private async Task<TOut> CallAsync<TIn, TOut>(TaskFunction<TIn, TOut> function, TIn input)
    {
        await using var fixture = new ExecutorFixture(_registry);
        var assignment = fixture.Assign(function.Name);
        assignment.Input = function.Encode(input).ToByteString();
        var result = await fixture.RunAsync(assignment);
        Assert.Null(result.Error);
        return function.Decode(Payload.Parser.ParseFrom(result.Output));
    }

    private sealed record Pair(int FirstOne);
}
