using Orchestrator.Client.Objects;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Scale;

/// <summary>Named values, and entries of one dict, as many of each.</summary>
internal sealed class ObjectScale : ScaleLoad
{
    private const int AtOnce = 256;
    private const int Batch = 500;
    private const string Dict = "entries";

    private readonly ScaleRun _run;
    private readonly CoordinationSession _session;
    private readonly StateService.StateServiceClient _state;
    private int _size;

    private ObjectScale(ScaleRun run, CoordinationSession session)
    {
        _run = run;
        _session = session;
        _state = new StateService.StateServiceClient(run.Client.Invoker);
        var (value, dict, held) = (session.Value<long>("value-0"), session.Dict<int>(Dict), session.Lock("lock"));
        Operations =
        [
            ScaleOperation.OneAtATime("set a value", () => value.SetAsync(1, cancellationToken: run.Token)),
            ScaleOperation.OneAtATime("set an entry of a dict", () => dict.SetAsync("key-0", 1, cancellationToken: run.Token)),
            ScaleOperation.OneAtATime("lock and unlock", async () =>
            {
                var hold = await held.AcquireAsync(run.Token);
                await hold.DisposeAsync();
            }),
            ScaleOperation.OneAtATime("make and delete a value", async () =>
            {
                var another = session.Value<long>("another");
                await another.SetAsync(1, cancellationToken: run.Token);
                await another.DeleteAsync(run.Token);
            }),
            ScaleOperation.OneAtATime("list ten values", async () =>
                await _state.ListStateAsync(
                    new ListStateRequest { Kind = StateKind.Value, PageSize = 10 }, cancellationToken: run.Token)),
        ];
    }

    public override IReadOnlyList<ScaleOperation> Operations { get; }

    public static async Task<ScaleLoad> CreateAsync(ScaleRun run) =>
        new ObjectScale(run, await run.Client.OpenSessionAsync("bench", cancellationToken: run.Token));

    public override async Task GrowAsync(int size)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = _run.Token };
        await Parallel.ForEachAsync(
            Enumerable.Range(_size, size - _size), options,
            async (i, token) => await _session.Value<long>($"value-{i}").SetAsync(i, cancellationToken: token));
        await Parallel.ForEachAsync(
            Enumerable.Range(_size, size - _size).Chunk(Batch), options,
            async (keys, token) =>
            {
                var update = new UpdateDictRequest { Dict = Dict };
                update.Edits.AddRange(keys.Select(key => new DictEdit { Key = $"key-{key}", Set = Payloads.FromNumber(key) }));
                await _state.UpdateDictAsync(update, cancellationToken: token);
            });
        _size = size;
    }

    public override ValueTask DisposeAsync() => _session.DisposeAsync();
}
