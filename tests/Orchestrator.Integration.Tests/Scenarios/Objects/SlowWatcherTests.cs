using Google.Protobuf;
using Grpc.Core;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Scenarios.Objects;

/// <summary>A watch of shared state whose client does not read.</summary>
public sealed class SlowWatcherTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private const int KeptChanges = 10_000;
    private const int ChangesOfAnUpdate = 500;

    private readonly StateService.StateServiceClient _state = new(shared.Coordinator.Invoker);

    [Fact]
    public async Task It_is_cut_with_the_reason_and_can_resume_with_a_snapshot()
    {
        var dict = Unique("dict");
        await UpdateAsync(dict, [Set("first", [1])]);
        // A connection of its own: its unread data must not block the others.
        using var slow = new StateService.StateServiceClient(shared.Coordinator.Connect()).WatchState(
            new WatchStateRequest { Kind = StateKind.Dict, Name = dict }, Soon);
        Assert.Equal("first", (await NextAsync(slow))!.DictSet.Key);
        // More than the transport buffers for a client that does not read, so that the watch stops in the middle.
        for (var i = 0; i < 8; i++)
            await UpdateAsync(dict, [Set("large", new byte[1_000_000])]);
        for (var i = 0; i <= (KeptChanges / ChangesOfAnUpdate) + 2; i++)
            await UpdateAsync(dict, [.. Enumerable.Range(0, ChangesOfAnUpdate).Select(_ => Set("small", [(byte)i]))]);

        var last = 0ul;
        var error = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await NextAsync(slow) is { } seen)
                last = seen.Version;
        });
        Check(error, StatusCode.ResourceExhausted, "LIMIT_EXCEEDED", "read too slowly");

        using var resumed = _state.WatchState(new WatchStateRequest { Kind = StateKind.Dict, Name = dict, AfterVersion = last }, Soon);
        Assert.True((await NextAsync(resumed))!.Snapshot);
        var keys = new List<string>();
        WatchStateResponse message;
        while ((message = (await NextAsync(resumed))!).Version == 0)
            keys.Add(message.DictSet.Key);
        Assert.Equal(["first", "large", "small"], keys);
        await UpdateAsync(dict, [Set("next", [1])]);
        var change = (await NextAsync(resumed))!;
        Assert.Equal(("next", message.Version + 1, false), (change.DictSet.Key, change.Version, change.Snapshot));
    }

    [Fact]
    public async Task A_watch_goes_on_with_the_object_that_follows_a_deleted_one_however_many_changes_that_had()
    {
        var dict = Unique("dict");
        // Versions of new objects begin after those of all deleted ones: beyond the changes that are kept.
        var other = Unique("other");
        for (var i = 0; i <= KeptChanges / ChangesOfAnUpdate; i++)
            await UpdateAsync(other, [.. Enumerable.Range(0, ChangesOfAnUpdate).Select(_ => Set("small", [(byte)i]))]);
        await UpdateAsync(dict, [Set("old", [1])]);
        using var watch = _state.WatchState(new WatchStateRequest { Kind = StateKind.Dict, Name = dict }, Soon);
        Assert.Equal("old", (await NextAsync(watch))!.DictSet.Key);
        await _state.DeleteStateAsync(new DeleteStateRequest { Kind = StateKind.Dict, Name = other }, Soon);
        await _state.DeleteStateAsync(new DeleteStateRequest { Kind = StateKind.Dict, Name = dict }, Soon);
        Assert.True((await NextAsync(watch))!.Deleted);
        await UpdateAsync(dict, [Set("new", [1])]);
        var change = (await NextAsync(watch))!;
        Assert.Equal(("new", false), (change.DictSet.Key, change.Snapshot));
        Assert.True(change.Version > KeptChanges, $"{change.Version}");
    }

    private static DictEdit Set(string key, byte[] value) => new() { Key = key, Set = new Payload { Data = ByteString.CopyFrom(value) } };

    private static async Task<WatchStateResponse?> NextAsync(AsyncServerStreamingCall<WatchStateResponse> watch) =>
        await watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken) ? watch.ResponseStream.Current : null;

    private async Task UpdateAsync(string dict, IEnumerable<DictEdit> edits) =>
        await _state.UpdateDictAsync(new UpdateDictRequest { Dict = dict, Edits = { edits } }, Soon);
}
