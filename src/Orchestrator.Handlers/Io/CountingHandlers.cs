using Orchestrator.Client.Contract;
using Orchestrator.Handlers.Common;
using Orchestrator.V1;
using Orchestrator.Worker.Payloads;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Handlers.Io;

/// <summary>A handler that counts in a shared dict, with and without protection against lost updates.</summary>
internal static class CountingHandlers
{
    private const int MaxTimes = 10_000_000;

    public static void Register(ITaskMap map) => map.MapTask(
        "increment",
        (IncrementInput input, TaskContext context) => Check.ObjectsAsync(() => IncrementAsync(input, context, context.CancellationToken)),
        new()
        {
            Json = StockJson.Default.Options,
            Description =
                "Adds 1 to the entry of a dict, times over, and answers with what it was then. protection is none (reads, then writes: " +
                "increments of others get lost), lock (the same under the lock of the dict's name), add (one atomic update) or guard (an " +
                "update that is refused, and done again, where the dict has changed).",
            Example = """{"dict": "scores", "key": "a", "times": 1000, "protection": "add"}""",
        });

    private static async Task<double> IncrementAsync(IncrementInput input, TaskContext context, CancellationToken cancellationToken)
    {
        Check.Range("times", input.Times, 1, MaxTimes);
        var dict = context.Dict<Payload>(input.Dict);
        Func<Task<double>> once = input.Protection switch
        {
            "none" => UnprotectedAsync,
            "lock" => LockedAsync,
            "add" => () => dict.AddAsync(input.Key, 1, cancellationToken),
            "guard" => async () => NumberOf(
                await dict.UpdateAsync(input.Key, value => Payloads.FromNumber(NumberOf(value) + 1), cancellationToken)),
            _ => throw new InvalidInputException("protection", $"must be none, lock, add or guard, got \"{input.Protection}\""),
        };
        var last = 0.0;
        for (var i = 0; i < input.Times; i++)
            last = await once();
        return last;

        async Task<double> UnprotectedAsync()
        {
            var next = NumberOf(await dict.GetAsync(input.Key, cancellationToken)) + 1;
            await dict.SetAsync(input.Key, Payloads.FromNumber(next), cancellationToken);
            return next;
        }

        async Task<double> LockedAsync()
        {
            await using var hold = await context.Lock(input.Dict).AcquireAsync(cancellationToken);
            return await UnprotectedAsync();
        }

        double NumberOf(Payload? value) => value switch
        {
            null => 0,
            { ContentCase: Payload.ContentOneofCase.Json, Json.KindCase: Google.Protobuf.WellKnownTypes.Value.KindOneofCase.NumberValue } =>
                value.Json.NumberValue,
            _ => throw new InvalidInputException("key", $"names the entry \"{input.Key}\" of dict \"{input.Dict}\", which is no number"),
        };
    }
}
