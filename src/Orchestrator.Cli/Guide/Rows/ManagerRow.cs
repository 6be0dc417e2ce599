using Orchestrator.Client.Tasks;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class ManagerRow() : GuideRow("manager", "5.3", "a dict, a list and a number that all processes share")
{
    private const int Tasks = 5;

    public override void MapHandlers(ITaskMap map) =>
        map.MapTask("guide_remember", async (RememberInput input, TaskContext context) =>
    {
        var ct = context.CancellationToken;
        // shared_dict[key] = value, and what Python loses: shared_dict["all"].append(value)
        await context.Dict<Payload>(input.Name).UpdateAsync(
            [
                new DictEdit { Key = input.Key, Set = Payloads.FromNumber(input.Value) },
                new DictEdit { Key = "all", Append = Payloads.FromNumber(input.Value) },
            ],
            cancellationToken: ct);
        await context.List<Payload>(input.Name).AppendAsync(Payloads.FromText(context.WorkerName), ct);
        await context.Value<long>(input.Name).AddAsync(input.Value, ct);
        return Environment.ProcessId;
    });

    public override async Task RunAsync(GuideContext guide)
    {
        var name = guide.Name("shared");
        guide.Say($"{Tasks} tasks in the workers write to one dict, one list and one number.");
        var inputs = Enumerable.Range(0, Tasks).Select(i => new RememberInput(name, $"key{i}", i));
        await guide.Pool.MapAsync<RememberInput, int>("guide_remember", inputs, cancellationToken: guide.Token).CountAsync(guide.Token);

        await using var session = await guide.OpenSessionAsync();
        var dict = await session.Dict(name).ReadPageAsync(cancellationToken: guide.Token);
        guide.Say("{ " + string.Join(", ", dict.Entries.Select(entry => $"{entry.Key}: {Payloads.ToJson(entry.Value)}").Order()) + " }");
        guide.Shows("the dict has every task's key", Enumerable.Range(0, Tasks).All(
            i => dict.Entries.Any(entry => entry.Key == $"key{i}" && entry.Value.Json.NumberValue == i)));
        guide.Shows("appending inside a value keeps all: with a manager of Python's, d[\"all\"].append(x) changes a copy, and is lost",
            dict.Entries.Single(entry => entry.Key == "all").Value.Json.ListValue.Values.Count == Tasks);
        var list = await session.List(name).ReadSliceAsync(cancellationToken: guide.Token);
        guide.Say($"Written by {GuideContext.List(list.Values.Select(value => value.Json.StringValue).Distinct().Order())}.");
        guide.Shows($"the list has {Tasks} elements, and the number is 0 + 1 + 2 + 3 + 4 = 10",
            list.Count == Tasks && await session.Value(name).ReadAsync(guide.Token) == 10);
    }

    private sealed record RememberInput(string Name, string Key, int Value);
}
