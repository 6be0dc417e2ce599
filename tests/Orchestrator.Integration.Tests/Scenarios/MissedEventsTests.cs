using Grpc.Core;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Client.Tasks;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Scenarios;

/// <summary>A coordinator with one worker that has the handlers of the tests.</summary>
public sealed class YieldingCoordinator : IAsyncLifetime
{
    public CoordinatorProcess Coordinator { get; private set; } = null!;

    public async ValueTask InitializeAsync() =>
        Coordinator = await CoordinatorProcess.StartAsync(
            ["--workers", "1", "--hot-spares", "0", .. TestWorker.Arguments(Environment.ProcessPath!)]);

    public async ValueTask DisposeAsync() => await Coordinator.DisposeAsync();
}

/// <summary>
/// Part 5, 7: a reader that does not keep up, or comes late, learns what it has missed, wherever it is dropped: streams and watches of
/// tasks, their partial outputs, log lines and progress, the SDK, the command, and the operator's events. (Watches of shared state end with
/// their reason: <c>SlowWatcherTests</c>; what a worker drops is reported in the task's log: <c>TaskLogTests</c>.)
/// </summary>
public sealed class MissedEventsTests(YieldingCoordinator shared) : IClassFixture<YieldingCoordinator>
{
    private const int Kept = 1_000;
    private const int Partials = 4_000;
    private const int PartialBytes = 5_000;

    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    /// <summary>Part 5, 7: the reported case. Received and missed outputs are all that was yielded, and the result comes last.</summary>
    [Theory]
    [InlineData(ResultOrder.Completion)]
    [InlineData(ResultOrder.Submission)]
    public async Task A_stream_whose_client_does_not_read_states_the_gap(ResultOrder order)
    {
        // A connection of its own: its unread data must not block the others.
        using var call = new TaskService.TaskServiceClient(_coordinator.Connect()).StreamTasks(CoordinatorProcess.Deadline());
        await call.RequestStream.WriteAsync(new StreamTasksRequest
        {
            Options = new StreamOptions { Events = true, Ids = true, Order = order },
            Tasks = { Yield(0, Partials, PartialBytes, tag: 7) },
        });
        await call.RequestStream.CompleteAsync();
        var reader = new Reader();
        var id = 0ul;
        while (id == 0 && await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
        {
            Take(call.ResponseStream.Current);
            id = call.ResponseStream.Current.AcceptedTaskIds.SingleOrDefault();
        }

        // It reads on only when all has been yielded.
        await _coordinator.WaitAsync([id]);
        while (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            Take(call.ResponseStream.Current);
        reader.AssertAll(Partials);
        Assert.True(reader.Dropped > 0);
        Assert.InRange(reader.AfterLastGap, 1, Kept);
        Assert.Equal(TaskState.Succeeded, reader.Result?.State);

        void Take(StreamTasksResponse response)
        {
            foreach (var item in response.Events)
                reader.Take(item);
            foreach (var result in response.Results)
                reader.End(result);
        }
    }

    /// <summary>Part 5, 7: a watch that does not read is no longer cut off.</summary>
    [Fact]
    public async Task A_watch_whose_client_does_not_read_states_the_gap()
    {
        var id = (await _coordinator.SubmitAsync(Yield(0, Partials, PartialBytes))).Single();
        using var call = new TaskService.TaskServiceClient(_coordinator.Connect()).WatchTasks(
            new WatchTasksRequest { TaskIds = { id } }, CoordinatorProcess.Deadline());
        var reader = new Reader();
        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        reader.Take(call.ResponseStream.Current.Event);
        await _coordinator.WaitAsync([id]);
        while (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            reader.Take(call.ResponseStream.Current.Event);
        reader.AssertAll(Partials);
        Assert.True(reader.Dropped > 0);
        Assert.InRange(reader.AfterLastGap, 1, Kept);
        Assert.Equal(TaskState.Succeeded, reader.Result?.State);
    }

    /// <summary>
    /// Part 5, 7: a late watcher gets the number of missed outputs, and one that resumes gets the exact number since its position, wherever
    /// that was.
    /// </summary>
    [Fact]
    public async Task A_late_or_resumed_watch_states_exactly_what_is_missing()
    {
        var id = (await _coordinator.SubmitAsync(Yield(30, Partials, 10))).Single();
        await _coordinator.WaitAsync([id]);
        var late = await WatchAsync(id, 0);
        late.AssertAll(Partials);
        Assert.InRange(late.AfterLastGap, 1, Kept);
        Assert.Equal(
            "warning: 30 log lines before this are lost to this reader: only the newest 1,000 events are kept", Assert.Single(late.Log));
        Assert.Equal(Partials - late.AfterLastGap, (int)late.Dropped);

        // A watcher that had the last output before the kept ones, and watchers that had some of the dropped ones: one task's sequences are
        // consecutive.
        var gone = (ulong)(Partials - late.AfterLastGap);
        foreach (var had in (ulong[])[gone, gone - 1, gone - 700])
        {
            var back = await WatchAsync(id, late.FirstKept - 1 - (gone - had), (long)had);
            back.AssertAll(Partials);
            Assert.Equal((gone - had, late.AfterLastGap), (back.Dropped, back.AfterLastGap));
            Assert.Empty(back.Log);
        }
    }

    /// <summary>
    /// Part 5, 7: when only the result follows, the gap is an event of its own; and a reader that resumes behind it still gets the result.
    /// </summary>
    [Fact]
    public async Task A_gap_at_the_end_is_an_event_before_the_result()
    {
        // Others' partial outputs evict those of the first task from the reader's backlog.
        using var call = new TaskService.TaskServiceClient(_coordinator.Connect()).StreamTasks(CoordinatorProcess.Deadline());
        await call.RequestStream.WriteAsync(
            new StreamTasksRequest { Options = new StreamOptions { Events = true, Ids = true }, Tasks = { Yield(0, 0, 0, tag: 1) } });
        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        var ids = new List<ulong>();
        // The transport is full from here on; these run one after the other.
        foreach (var (tag, count, bytes) in ((ulong, int, int)[])[(2, 1_500, PartialBytes), (3, 40, 10), (4, 1_500, 10)])
        {
            await call.RequestStream.WriteAsync(new StreamTasksRequest { Tasks = { Yield(0, count, bytes, tag) } });
            await UntilEndedAsync(tag, count);
        }

        await call.RequestStream.CompleteAsync();
        var readers = new Dictionary<ulong, Reader> { [1] = new(), [2] = new(), [3] = new(), [4] = new() };
        do
        {
            foreach (var item in call.ResponseStream.Current.Events)
                readers[item.Tag].Take(item);
            foreach (var result in call.ResponseStream.Current.Results)
                readers[result.Tag].End(result);
        }
        while (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        readers[2].AssertAll(1_500);
        readers[3].AssertAll(40);
        readers[4].AssertAll(1_500);
        Assert.Equal((40ul, true), (readers[3].Dropped, readers[3].EndedWithGap));
        Assert.All(readers.Values, reader => Assert.Equal(TaskState.Succeeded, reader.Result?.State));

        async Task UntilEndedAsync(ulong tag, int count)
        {
            var before = ids.Count;
            await Waits.UntilAsync(async () =>
            {
                var list = await _coordinator.Tasks.ListTasksAsync(
                    new ListTasksRequest { Handler = "yield", PageSize = 1 }, CoordinatorProcess.Deadline());
                if (list.Tasks.FirstOrDefault() is { Result.State: TaskState.Succeeded } task && !ids.Contains(task.TaskId)
                    && task.Result.Tag == tag)
                    ids.Add(task.TaskId);
                return ids.Count > before;
            });
        }
    }

    /// <summary>Part 5, 7: the SDK throws where only partial outputs are read, and reports the gap where all events are read.</summary>
    [Fact]
    public async Task The_sdk_is_never_silent()
    {
        await using var client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { DataDirectory = _coordinator.DataDirectory });
        var handle = await client.SubmitAsync(TaskFunction.Json<int[], int>("yield"), [0, 1_200, 10]);
        Assert.Equal(1_200, await handle);
        var error = await Assert.ThrowsAsync<PartialsLostException>(async () =>
        {
            await foreach (var unused in handle.PartialPayloadsAsync(TestContext.Current.CancellationToken))
                Assert.Fail("one that is kept came before the gap was stated");
        });
        Assert.Equal((handle.Id, 1_200ul - Kept), (error.TaskId, error.Count));
        Assert.Contains($"200 partial outputs of task {handle.Id} ('yield') are lost", error.Message, StringComparison.Ordinal);
        var reader = new Reader();
        await foreach (var item in handle.EventsAsync(TestContext.Current.CancellationToken))
            reader.Take(item);
        reader.AssertAll(1_200);
        Assert.NotNull(reader.Result);

        var streamed = new Reader();
        var ended = new TaskCompletionSource<TaskResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (var stream = client.Contract.OpenTaskStream(
            new TaskStreamOptions { OnEvent = streamed.Take, OnResult = ended.SetResult }))
        {
            await stream.SubmitAsync(Yield(0, 300, 10), TestContext.Current.CancellationToken);
            Assert.Equal(
                TaskState.Succeeded, (await ended.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)).State);
        }

        // Missed events were reported before the result.
        streamed.AssertAll(300);
    }

    /// <summary>Part 5, 7: the command shows the gap.</summary>
    [Fact]
    public async Task The_command_shows_the_gap()
    {
        var id = (await _coordinator.SubmitAsync(Yield(3, 1_200, 10))).Single();
        await _coordinator.WaitAsync([id]);
        var (code, output) = await CommandLine.RunAsync("logs", $"{id}", "--data-dir", _coordinator.DataDirectory);
        Assert.Equal(0, code);
        Assert.Contains("partial outputs are missing here", output, StringComparison.Ordinal);
        Assert.Contains("3 log lines before this are lost to this reader", output, StringComparison.Ordinal);
        var json = await CommandLine.RunAsync("logs", $"{id}", "-o", "json", "--data-dir", _coordinator.DataDirectory);
        Assert.Contains("\"dropped_before\":", json.Output, StringComparison.Ordinal);
    }

    /// <summary>
    /// Part 5, 7: the operator's events: a late or slow watcher learns which events are no longer kept, by their numbers, and is not cut
    /// off.
    /// </summary>
    [Fact]
    public async Task Operators_events_that_are_no_longer_kept_are_named()
    {
        var events = new EventLog(new MonotonicClock(TimeProvider.System));
        for (var i = 0; i < 10_300; i++)
            events.Add("kind", "subject", $"{i + 1}");
        await using var watch = events.WatchAsync(17, TestContext.Current.CancellationToken).GetAsyncEnumerator();
        var first = await NextAsync();
        Assert.Equal(
            (EventLog.EventsDropped, 300L, "events 18 to 300 are no longer kept: the last 10000 are"),
            (first.Kind, first.Sequence, first.Message));
        Assert.Equal(301, (await NextAsync()).Sequence);
        for (var i = 0; i < 20_000; i++)
            events.Add("kind", "subject", "");
        var (seen, last) = (302L, 301L);
        while (last < 30_300)
        {
            var item = await NextAsync();
            seen += item.Kind == EventLog.EventsDropped ? item.Sequence - last : 1;
            last = item.Sequence;
            Assert.Equal(last, seen - 1);
        }

        async Task<OperatorEvent> NextAsync() =>
            await watch.MoveNextAsync() ? watch.Current : throw new InvalidOperationException("the events have ended");
    }

    private static TaskSpec Yield(int lines, int partials, int bytes, ulong tag = 0) =>
        Specs.Json("yield", $"[{lines}, {partials}, {bytes}]", tag: tag);

    private async Task<Reader> WatchAsync(ulong id, ulong after, long had = 0)
    {
        using var call = _coordinator.Tasks.WatchTasks(
            new WatchTasksRequest { TaskIds = { id }, AfterSequence = after }, CoordinatorProcess.Deadline());
        var reader = new Reader(had);
        await foreach (var response in call.ResponseStream.ReadAllAsync())
            reader.Take(response.Event);
        return reader;
    }

    /// <summary>The events of one task that one reader received.</summary>
    private sealed class Reader(long had = 0)
    {
        private long _next = had;

        public ulong Dropped { get; private set; }

        /// <summary>The number of partial outputs after the last gap.</summary>
        public int AfterLastGap { get; private set; }

        /// <summary>The sequence of the first of them.</summary>
        public ulong FirstKept { get; private set; }

        public bool EndedWithGap { get; private set; }

        public List<string> Log { get; } = [];

        public TaskResult? Result { get; private set; }

        public void Take(TaskEvent item)
        {
            Assert.Null(Result);
            if (item.DroppedBefore > 0)
            {
                (Dropped, AfterLastGap) = (Dropped + item.DroppedBefore, 0);
                _next += (long)item.DroppedBefore;
            }

            EndedWithGap = item is { DroppedBefore: > 0, EventCase: TaskEvent.EventOneofCase.None };
            switch (item.EventCase)
            {
                case TaskEvent.EventOneofCase.PartialOutput:
                    Assert.Equal(_next++, BitConverter.ToInt32(item.PartialOutput.Data.Span));
                    if (AfterLastGap++ == 0)
                        FirstKept = item.Sequence;
                    break;
                case TaskEvent.EventOneofCase.Log:
                    Log.Add($"{item.Log.Level}: {item.Log.Message}");
                    break;
                case TaskEvent.EventOneofCase.Result:
                    End(item.Result);
                    break;
            }
        }

        /// <summary>The same event as the SDK tells it.</summary>
        public void Take(TaskUpdate item)
        {
            var message = new TaskEvent { Sequence = item.Sequence, DroppedBefore = item.DroppedBefore };
            if (item.PartialOutput is { } bytes)
                message.PartialOutput = Payloads.FromBytes(bytes);
            if (item.Log is { } line)
                message.Log = new LogLine { Level = line.Level, Message = line.Message };
            if (item.State is { } state)
                message.State = (TaskState)state;
            if (item.Result is { } result)
                message.Result = new TaskResult { TaskId = result.TaskId, State = (TaskState)result.State };
            Take(message);
        }

        public void End(TaskResult result) => Result = result;

        public void AssertAll(int partials) => Assert.Equal(partials, _next);
    }
}
