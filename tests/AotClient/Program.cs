// Calls every client API that trimmed code may use, against the coordinator that the environment names.
using System.Text.Json.Serialization;
using Orchestrator.Client;
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
await using (var hold = await session.Lock("aot").AcquireAsync())
    Check(hold.FencingToken > 0, "a lock");

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
