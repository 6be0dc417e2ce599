using Grpc.Core;
using Orchestrator.Protocol;
using Orchestrator.TestKit;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Scenarios.Objects;

/// <summary>Shared state through a coordinator: one test per guarantee.</summary>
public sealed class StateTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private readonly StateService.StateServiceClient _state = new(shared.Coordinator.Invoker);

    [Fact]
    public async Task A_dict_update_is_all_or_nothing()
    {
        var dict = Unique("dict");
        await UpdateAsync(dict, Set("a", "1"), Set("b", "\"text\""));
        await RefusesAsync(Update(
            dict, Set("a", "2"), new DictEdit { Key = "b", Add = 1 }), StatusCode.InvalidArgument, "INVALID", "a string, not a number");
        var read = await ReadAsync(dict, "a", "missing");
        Assert.Equal(("1", "missing"), (Payloads.ToJson(read.Entries.Single().Value), read.MissingKeys.Single()));
        Assert.Equal(2, read.Count);
    }

    [Theory]
    [InlineData("""{"a": {"b": [1, 2, 3]}}""", "a.b[2]", "9", """{"a":{"b":[1,2,9]}}""")]
    [InlineData("""{"a": 1}""", "b.c", "true", """{"a":1,"b":{"c":true}}""")]
    [InlineData("""[{"x": 1}]""", "[-1].x", "2", """[{"x":2}]""")]
    [InlineData("""{"a.b": 1}""", """["a.b"]""", "2", """{"a.b":2}""")]
    public async Task A_path_changes_inside_a_value(string before, string path, string value, string after)
    {
        var dict = Unique("dict");
        await UpdateAsync(dict, Set("k", before));
        await UpdateAsync(dict, new DictEdit { Key = "k", Path = new PathEdit { Path = path, Value = Payloads.FromJson(value) } });
        Assert.Equal(after, Payloads.ToJson((await ReadAsync(dict, "k")).Entries.Single().Value));
    }

    [Theory]
    [InlineData("a.b", "not an object")]
    [InlineData("a[5]", "out of range")]
    [InlineData("a[", "brackets")]
    [InlineData("", "empty")]
    public async Task A_wrong_path_is_named(string path, string says)
    {
        var dict = Unique("dict");
        await UpdateAsync(dict, Set("k", """{"a": [1]}"""));
        await RefusesAsync(
            Update(dict, new DictEdit { Key = "k", Path = new PathEdit { Path = path, Value = Payloads.FromJson("1") } }),
            StatusCode.InvalidArgument, "INVALID", says);
    }

    [Fact]
    public async Task Append_and_add_begin_with_nothing_and_keep_every_digit()
    {
        var dict = Unique("dict");
        await UpdateAsync(dict, Append("list", "1"), Append("list", "2"), Set("n", "9007199254740993"), new DictEdit { Key = "n", Add = 2 },
            new DictEdit { Key = "new", Add = 3 });
        var read = await ReadAsync(dict, "list", "n", "new");
        Assert.Equal(["[1,2]", "\"9007199254740995\"", "3"], read.Entries.Select(entry => Payloads.ToJson(entry.Value)));
    }

    [Fact]
    public async Task An_entry_goes_when_its_time_has_passed()
    {
        var dict = Unique("dict");
        await UpdateAsync(dict, Set("lasting", "0"));
        using var watch = _state.WatchState(new WatchStateRequest { Kind = StateKind.Dict, Name = dict }, Soon);
        // The watch is established before the entries that it must see are set and expire.
        while ((await NextAsync(watch)).DictSet?.Key != "lasting")
        {
        }

        await UpdateAsync(dict, new DictEdit { Key = "a", Set = Text("x"), Ttl = Specs.Seconds(0.02) });
        while ((await NextAsync(watch)).DictSet?.Key != "a")
        {
        }

        while ((await NextAsync(watch)).DictDeletedKey != "a")
        {
        }

        Assert.Single((await ReadAsync(dict, "a")).MissingKeys);
    }

    [Fact]
    public async Task A_dict_is_read_in_pages()
    {
        var dict = Unique("dict");
        await UpdateAsync(dict, [.. Enumerable.Range(0, 5).Select(i => Set($"k{i}", "0"))]);
        var first = await _state.ReadDictAsync(new ReadDictRequest { Dict = dict, PageSize = 3, KeysOnly = true }, Soon);
        var second = await _state.ReadDictAsync(new ReadDictRequest { Dict = dict, PageSize = 3, PageToken = first.NextPageToken }, Soon);
        Assert.Equal(["k0", "k1", "k2", "k3", "k4"], first.Entries.Concat(second.Entries).Select(entry => entry.Key));
        Assert.Equal("", second.NextPageToken);
    }

    [Fact]
    public async Task A_page_of_large_values_fits_into_one_message()
    {
        var dict = Unique("dict");
        var large = new Payload { Data = Google.Protobuf.ByteString.CopyFrom(new byte[1_500_000]) };
        await UpdateAsync(dict, [.. Enumerable.Range(0, 4).Select(i => new DictEdit { Key = $"k{i}", Set = large })]);
        var page = await _state.ReadDictAsync(new ReadDictRequest { Dict = dict }, Soon);
        Assert.Equal(2, page.Entries.Count);
        Assert.NotEmpty(page.NextPageToken);
        await RefusesAsync(
            _state.ReadDictAsync(new ReadDictRequest { Dict = dict, Keys = { "k0", "k1", "k2" } }, Soon), StatusCode.ResourceExhausted,
            "LIMIT_EXCEEDED", "first 2");
    }

    [Fact]
    public async Task A_list_is_edited_as_in_python()
    {
        var list = Unique("list");
        var update = await _state.UpdateListAsync(
            new UpdateListRequest
            {
                List = list,
                Edits =
                {
                    new ListEdit { Extend = new ListExtend { Values = { Text("a"), Text("b"), Text("c") } } },
                    new ListEdit { Append = Text("d") },
                    new ListEdit { Insert = new ListInsert { Index = -1, Value = Text("x") } },
                    new ListEdit { Set = new ListSet { Index = 0, Value = Text("A") } },
                    new ListEdit { Pop = -1 },
                    new ListEdit { Reverse = true },
                },
            },
            Soon);
        Assert.Equal("d", Read(update.Popped.Single()));
        var read = await _state.ReadListAsync(new ReadListRequest { List = list, Start = -3 }, Soon);
        Assert.Equal((4, "c b A"), (read.Count, string.Join(' ', read.Values.Select(Read))));
        await RefusesAsync(
            _state.UpdateListAsync(
                new UpdateListRequest { List = list, Edits = { new ListEdit { Clear = true }, new ListEdit { Pop = 7 } } }, Soon),
            StatusCode.InvalidArgument,
            "INVALID",
            "index 7 is out of range");
        Assert.Equal(4, (await _state.ReadListAsync(new ReadListRequest { List = list }, Soon)).Count);
    }

    [Fact]
    public async Task A_value_adds_atomically_and_never_wraps()
    {
        var value = Unique("value");
        await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Edit(value, new NumberEdit { Add = Whole(1) }).ResponseAsync));
        Assert.Equal(200, (await _state.ReadValueAsync(new ReadValueRequest { Value = value }, Soon)).Current.Integer);
        await RefusesAsync(Edit(value, new NumberEdit { Add = Whole(long.MaxValue) }), StatusCode.InvalidArgument, "INVALID", "range");
        var missed = await Edit(value, new NumberEdit { CompareAndSet = new CompareAndSet { Expected = Whole(1), Value = Whole(2) } });
        Assert.Equal((false, 200), (missed.Changed, missed.After.Integer));
        Assert.True((await Edit(value, new NumberEdit { Max = Whole(300) })).Changed);
        await RefusesAsync(Edit(value, new NumberEdit()), StatusCode.InvalidArgument, "INVALID", "edit must be one of");
        await RefusesAsync(Edit(value, new NumberEdit { Add = new Number { Real = 0.5 } }), StatusCode.FailedPrecondition, "KIND_MISMATCH");
    }

    [Fact]
    public async Task An_array_has_one_length_and_one_type()
    {
        var array = Unique("array");
        var created = await _state.UpdateArrayAsync(
            new UpdateArrayRequest { Array = array, Length = 3, Edits = { At(0, 1.5), At(-1, 2.5) } }, Soon);
        Assert.Equal([1.5, 2.5], created.After.Select(number => number.Real));
        var read = await _state.ReadArrayAsync(new ReadArrayRequest { Array = array }, Soon);
        Assert.Equal([1.5, 0, 2.5], read.Values.Select(number => number.Real));
        await RefusesAsync(
            _state.UpdateArrayAsync(new UpdateArrayRequest { Array = array, Edits = { At(1, 7), At(3, 1) } }, Soon),
            StatusCode.InvalidArgument, "INVALID", "index 3 is out of range");
        Assert.Equal(
            0, (await _state.ReadArrayAsync(new ReadArrayRequest { Array = array, Start = 1, Limit = 1 }, Soon)).Values.Single().Real);
        await RefusesAsync(_state.UpdateArrayAsync(
            new UpdateArrayRequest { Array = array, Length = 4 }, Soon), StatusCode.FailedPrecondition, "KIND_MISMATCH");
    }

    [Fact]
    public async Task A_stale_guard_names_the_current_version()
    {
        var dict = Unique("dict");
        var version = (await UpdateAsync(dict, Set("a", "1"))).Version;
        await UpdateAsync(dict, Set("a", "2"));
        await RefusesAsync(
            _state.UpdateDictAsync(
                new UpdateDictRequest { Dict = dict, Edits = { Set("a", "3") }, Guard = new Guard { ExpectedVersion = version } }, Soon),
            StatusCode.FailedPrecondition,
            "STALE",
            $"has version {version + 1}");
        await RefusesAsync(
            _state.UpdateDictAsync(new UpdateDictRequest
            {
                Dict = dict,
                Edits = { Set("a", "3") },
                Guard = new Guard { Lock = "nobody", FencingToken = 1 }
            }, Soon),
            StatusCode.FailedPrecondition,
            "STALE");
    }

    [Fact]
    public async Task A_guard_lets_the_holder_of_the_lock_change_and_nobody_before_it()
    {
        var (dict, name) = (Unique("dict"), Unique("lock"));
        var tokens = new List<ulong>();
        for (var i = 0; i < 2; i++)
        {
            var held = await shared.Coordinator.Sync.AcquireLockAsync(
                new AcquireLockRequest { Lock = name, SessionId = await shared.Coordinator.OpenSessionAsync() }, Soon);
            tokens.Add(held.FencingToken);
            await GuardedAsync(held.FencingToken, $"{i}");
            if (i == 0)
                await shared.Coordinator.CloseSessionAsync(held.SessionId);
        }

        await RefusesAsync(Guarded(tokens[0], "2"), StatusCode.FailedPrecondition, "STALE");
        Assert.Equal("1", Payloads.ToJson((await ReadAsync(dict, "a")).Entries.Single().Value));

        AsyncUnaryCall<UpdateDictResponse> Guarded(ulong token, string value) => _state.UpdateDictAsync(
            new UpdateDictRequest { Dict = dict, Edits = { Set("a", value) }, Guard = new Guard { Lock = name, FencingToken = token } },
            Soon);

        async Task GuardedAsync(ulong token, string value) => await Guarded(token, value);
    }

    [Fact]
    public async Task A_request_that_is_sent_again_is_answered_and_not_done_again()
    {
        var dict = Unique("dict");
        var request = new UpdateDictRequest { Dict = dict, Edits = { new DictEdit { Key = "n", Add = 1 } }, RequestId = Unique("request") };
        var first = await _state.UpdateDictAsync(request, Soon);
        Assert.Equal(first, await _state.UpdateDictAsync(request, Soon));
        Assert.Equal("1", Payloads.ToJson((await ReadAsync(dict, "n")).Entries.Single().Value));
        request.RequestId = Unique("request");
        await _state.UpdateDictAsync(request, Soon);
        Assert.Equal("2", Payloads.ToJson((await ReadAsync(dict, "n")).Entries.Single().Value));
    }

    [Fact]
    public async Task A_prefix_of_thousands_of_keys_is_read_and_watched_in_their_order()
    {
        const int Entries = 3_000;
        var dict = Unique("dict");
        for (var i = 0; i < Entries; i += 500)
            await UpdateAsync(dict, [.. Enumerable.Range(i, 500).Select(n => Set($"k{n * 7 % Entries:D4}", "1"))]);
        // The watch asks before any index is complete.
        using var watch = _state.WatchState(
            new WatchStateRequest { Kind = StateKind.Dict, Name = dict, KeyPrefix = "k20", AfterVersion = 100_000 }, Soon);
        Assert.Equal(WatchStateResponse.ChangeOneofCase.None, (await NextAsync(watch)).ChangeCase);
        string[] expected = [.. Enumerable.Range(2_000, 100).Select(n => $"k{n:D4}")];
        var watched = new List<string>();
        for (var change = await NextAsync(watch); change.ChangeCase == WatchStateResponse.ChangeOneofCase.DictSet;
            change = await NextAsync(watch))
            watched.Add(change.DictSet.Key);
        Assert.Equal(expected, watched);
        var read = new List<string>();
        var request = new ReadDictRequest { Dict = dict, KeyPrefix = "k20", PageSize = 7, KeysOnly = true };
        do
        {
            var page = await _state.ReadDictAsync(request, Soon);
            read.AddRange(page.Entries.Select(entry => entry.Key));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        Assert.Equal(expected, read);
    }

    [Fact]
    public async Task A_watch_sees_every_change_in_order_and_resumes()
    {
        var dict = Unique("dict");
        using var watch = _state.WatchState(new WatchStateRequest { Kind = StateKind.Dict, Name = dict, KeyPrefix = "k" }, Soon);
        for (var i = 0; i < 50; i++)
            await UpdateAsync(dict, Set($"k{i}", "1"), Set("other", "1"));
        var version = 0ul;
        for (var i = 0; i < 20; i++)
        {
            var change = await NextAsync(watch);
            Assert.Equal($"k{i}", change.DictSet.Key);
            Assert.True(change.Version > version);
            version = change.Version;
        }

        using var resumed = _state.WatchState(
            new WatchStateRequest { Kind = StateKind.Dict, Name = dict, KeyPrefix = "k", AfterVersion = version }, Soon);
        Assert.Equal("k20", (await NextAsync(resumed)).DictSet.Key);
        await _state.DeleteStateAsync(new DeleteStateRequest { Kind = StateKind.Dict, Name = dict }, Soon);
        WatchStateResponse last;
        do
            last = await NextAsync(resumed);
        while (last.ChangeCase == WatchStateResponse.ChangeOneofCase.DictSet);
        Assert.True(last.Deleted);
    }

    [Fact]
    public async Task A_watch_of_an_unknown_version_begins_with_a_snapshot()
    {
        var list = Unique("list");
        await _state.UpdateListAsync(new UpdateListRequest { List = list, Edits = { new ListEdit { Append = Text("a") } } }, Soon);
        using var watch = _state.WatchState(new WatchStateRequest { Kind = StateKind.List, Name = list, AfterVersion = 1_000_000 }, Soon);
        Assert.True(await NextAsync(watch) is { Snapshot: true, Version: 0, ChangeCase: WatchStateResponse.ChangeOneofCase.None });
        Assert.Equal("a", Read((await NextAsync(watch)).ListEdit.Append));
        Assert.True(await NextAsync(watch) is { Snapshot: true, Version: > 0 });
        await _state.UpdateListAsync(new UpdateListRequest { List = list, Edits = { new ListEdit { Pop = -1 } } }, Soon);
        Assert.True(await NextAsync(watch) is { Snapshot: false, ListEdit.Pop: 0 });
    }

    [Fact]
    public async Task Streams_end_with_the_coordinator()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        var state = new StateService.StateServiceClient(coordinator.Invoker);
        await state.UpdateValueAsync(new UpdateValueRequest { Value = "v", Edit = new NumberEdit { Set = Whole(1) } }, Soon);
        using var watch = state.WatchState(new WatchStateRequest { Kind = StateKind.Value, Name = "v" }, Soon);
        Assert.Equal(1, (await NextAsync(watch)).Value.Integer);
        coordinator.Terminate();
        var error = await Assert.ThrowsAsync<RpcException>(() => watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.Equal(0, await coordinator.WaitForExitAsync());
    }

    [Fact]
    public async Task Bad_input_is_refused_by_name()
    {
        await RefusesAsync(Update(new string('n', 129), Set("a", "1")), StatusCode.InvalidArgument, "INVALID", "128");
        await RefusesAsync(Update("dict", new DictEdit { Key = "a" }), StatusCode.InvalidArgument, "INVALID", "edit 0");
        await RefusesAsync(
            _state.ReadListAsync(new ReadListRequest { List = "list", Limit = -1 }, Soon), StatusCode.InvalidArgument, "INVALID", "-1");
        await RefusesAsync(
            _state.ReadDictAsync(new ReadDictRequest { Dict = "dict", PageSize = -2 }, Soon), StatusCode.InvalidArgument, "INVALID", "-2");
        await RefusesAsync(
            _state.ListStateAsync(new ListStateRequest { Kind = (StateKind)9 }, Soon), StatusCode.InvalidArgument, "INVALID", "9");
        await RefusesAsync(_state.DeleteStateAsync(
            new DeleteStateRequest { Kind = StateKind.Dict, Name = "nowhere" }, Soon), StatusCode.NotFound, "NOT_FOUND", "nowhere");
        var large = new Payload { Data = Google.Protobuf.ByteString.CopyFrom(new byte[ProtocolConstants.DefaultPayloadBytes + 1]) };
        await RefusesAsync(
            Update("dict", new DictEdit { Key = "a", Set = large }), StatusCode.ResourceExhausted, "LIMIT_EXCEEDED", "edits[0].set");
        Assert.DoesNotContain((await _state.ListStateAsync(new ListStateRequest { Kind = StateKind.Dict, PageSize = 1000 }, Soon)).Objects,
            item => item.Name == "dict");
    }

    private static DictEdit Set(string key, string json) => new() { Key = key, Set = Payloads.FromJson(json) };

    private static DictEdit Append(string key, string json) => new() { Key = key, Append = Payloads.FromJson(json) };

    private static Number Whole(long number) => new() { Integer = number };

    private static ArrayEdit At(long index, double number) =>
        new() { Index = index, Edit = new NumberEdit { Set = new Number { Real = number } } };

    private static async Task<WatchStateResponse> NextAsync(AsyncServerStreamingCall<WatchStateResponse> watch)
    {
        Assert.True(await watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        return watch.ResponseStream.Current;
    }

    private AsyncUnaryCall<UpdateDictResponse> Update(string dict, params DictEdit[] edits) =>
        _state.UpdateDictAsync(new UpdateDictRequest { Dict = dict, Edits = { edits } }, Soon);

    private async Task<UpdateDictResponse> UpdateAsync(string dict, params DictEdit[] edits) => await Update(dict, edits);

    private async Task<ReadDictResponse> ReadAsync(string dict, params string[] keys) =>
        await _state.ReadDictAsync(new ReadDictRequest { Dict = dict, Keys = { keys } }, Soon);

    private AsyncUnaryCall<UpdateValueResponse> Edit(string value, NumberEdit edit) =>
        _state.UpdateValueAsync(new UpdateValueRequest { Value = value, Edit = edit }, Soon);
}
