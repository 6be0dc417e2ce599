// Calls every client API that trimmed code may use, against the coordinator that the environment names.
using System.Text.Json.Serialization;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Client.Tasks;

await using var client = await OrchestratorClient.ConnectAsync();
var types = AotJson.Default;
var echo = TaskFunction.Json("echo", types.Point, types.Point);
Check(await client.RunAsync(echo, new Point(3, "é")) == new Point(3, "é"), "a value by generated JSON");

var bytes = TaskFunction.Bytes("echo");
Check((await client.RunAsync(bytes, new byte[] { 1, 2 })).Span.SequenceEqual(new byte[] { 1, 2 }), "bytes");

var next = 0;
await foreach (var point in client.MapAsync(echo, Enumerable.Range(0, 1_000).Select(n => new Point(n, ""))))
    Check(point.N == next++, "a map in order");
Check(next == 1_000, "a whole map");

var handle = await client.SubmitAsync(echo, new Point(1, "handle"));
Check(handle.Id > 0 && (await handle).Text == "handle", "a handle");
Check((await TaskHandles.WaitAsync([handle])).Done.Count == 1, "a wait");
await client.RunGroupAsync(async group => await group.SubmitAsync(echo, new Point(2, "group")));

try
{
    await client.RunAsync(TaskFunction.Json("no_such_handler", types.Point, types.Point), new Point(0, ""));
    Check(false, "a failure");
}
catch (TaskFailedException exception)
{
    Check(exception.Reason == FailureReason.HandlerNotFound, "a failure's reason");
}

await using (var session = await client.OpenSessionAsync("aot"))
{
    await using (var hold = await session.Lock("aot").AcquireAsync())
        Check(hold.FencingToken > 0, "a lock");
    await client.CreateQueueAsync("aot");
    var queue = session.Queue("aot", types.Point);
    await queue.PutAsync(new Point(4, "queue"));
    Check(await queue.GetAsync() == new Point(4, "queue"), "an item by generated JSON");
    var dict = session.Dict("aot", type: types.Point);
    await dict.SetAsync("key", new Point(5, "dict"));
    Check(await dict.GetAsync("key") == new Point(5, "dict"), "an entry by generated JSON");
    Check(await session.List<byte[]>("aot").AppendAsync([1, 2]) == 1, "an element of bytes");
    Check(await session.Value<long>("aot").AddAsync(7) == 7, "a number");
    try
    {
        _ = session.List<Point>("aot-by-reflection");
        Check(false, "JSON by reflection");
    }
    catch (InvalidOperationException exception)
    {
        Check(exception.Message.Contains("OrchestratorClientOptions.Json", StringComparison.Ordinal), "the way out of reflection");
    }
}

await using (var generated = await OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { Json = types.Options }))
await using (var session = await generated.OpenSessionAsync("aot-options"))
{
    var points = session.List<Point>("aot-points");
    await points.AppendAsync(new Point(6, "list"));
    Check((await points.ReadAsync()).Single() == new Point(6, "list"), "an element by the client's options");
}

try
{
    await client.GetQueueAsync("no-such-queue");
    Check(false, "a refusal");
}
catch (OrchestratorException exception)
{
    Check(exception.Reason == FailureReason.NotFound, "a refusal's reason, from rich details");
}

Console.WriteLine("all right");
return 0;

static void Check(bool right, string what)
{
    if (!right)
        throw new InvalidOperationException($"{what} went wrong");
}

internal sealed record Point(int N, string Text);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Point))]
internal sealed partial class AotJson : JsonSerializerContext;
