using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Orchestrator.Cli.Commands.Objects;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>
/// Part 5, 1: durations beyond the limit of one timer (2^32 - 2 ms). Every duration field of a request works at its documented maximum, as
/// the only deadline and as the one after an earlier one, with real timers, and across a restart where it is durable.
/// </summary>
public sealed class FarDeadlineTests
{
    private static readonly Duration s_day = Seconds(86_400);
    private static readonly Duration s_year = Seconds(365 * 86_400);
    private static readonly Duration s_tenYears = Seconds(3_650 * 86_400);

    // 10,000 years: a field without a maximum accepts what the type can express.
    private static readonly Duration s_any = Seconds(Duration.MaxSeconds);

    /// <summary>Each duration field of the requests, with its documented maximum and a call that uses it.</summary>
    private static readonly Dictionary<string, (Duration Maximum, Func<CoordinatorProcess, Duration, string, Task> Use)> s_fields = new()
    {
        ["WatchStatusRequest.interval"] = (s_any, UseInWatchAsync),
        ["WatchTelemetryRequest.interval"] = (s_any, async (coordinator, time, _) =>
        {
            using var watch = coordinator.Admin.WatchTelemetry(new WatchTelemetryRequest { Interval = time }, Soon);
            Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
        }
        ),
        ["GetHistoryRequest.step"] = (s_any, async (coordinator, time, _) =>
            await coordinator.Admin.GetHistoryAsync(new GetHistoryRequest { Step = time }, Soon)),
        ["InjectFaultRequest.duration"] = (Seconds(60), async (coordinator, time, _) =>
            await coordinator.Admin.InjectFaultAsync(
                new InjectFaultRequest { Kind = FaultKind.Slow, Worker = "worker-1", Duration = time }, Soon)),
        ["ListTasksRequest.min_duration"] = (s_any, async (coordinator, time, _) =>
            await coordinator.Tasks.ListTasksAsync(new ListTasksRequest { MinDuration = time }, Soon)),
        ["DrainRequest.timeout"] = (s_any, (_, _, _) => Task.CompletedTask), // Ends the service: Drain_takes_the_longest_timeout.
        ["SendRequest.timeout"] = (s_any, async (coordinator, time, name) =>
        {
            var pipes = new PipeService.PipeServiceClient(coordinator.Invoker);
            await pipes.CreatePipeAsync(new CreatePipeRequest { Spec = new PipeSpec { Name = name, MaxMessages = 1 } }, Soon);
            var session = await coordinator.OpenSessionAsync();
            await pipes.SendAsync(new SendRequest { Pipe = name, End = PipeEnd.B, SessionId = session, Messages = { Text("1") } }, Soon);
            await HangUpAsync(coordinator, $"pipes/{name}", options => pipes.SendAsync(
                new SendRequest { Pipe = name, End = PipeEnd.B, SessionId = session, Messages = { Text("2") }, Timeout = time }, options));
        }
        ),
        ["ReceiveRequest.timeout"] = (s_any, async (coordinator, time, name) =>
        {
            var pipes = new PipeService.PipeServiceClient(coordinator.Invoker);
            await pipes.CreatePipeAsync(new CreatePipeRequest { Spec = new PipeSpec { Name = name } }, Soon);
            var session = await coordinator.OpenSessionAsync();
            await HangUpAsync(coordinator, $"pipes/{name}", options => pipes.ReceiveAsync(
                new ReceiveRequest { Pipe = name, End = PipeEnd.A, SessionId = session, Timeout = time }, options));
        }
        ),
        ["QueueSpec.aging"] = (s_year, (coordinator, time, name) => CreateQueueAsync(
            coordinator, new QueueSpec { Name = name, Kind = QueueKind.Priority, Aging = time })),
        ["QueueSpec.idle_ttl"] =
            (s_year, (coordinator, time, name) => CreateQueueAsync(coordinator, new QueueSpec { Name = name, IdleTtl = time })),
        ["PutRequest.timeout"] = (s_any, async (coordinator, time, name) =>
        {
            await CreateQueueAsync(coordinator, new QueueSpec { Name = name, MaxItems = 1 });
            await PutAsync(coordinator, name);
            await HangUpAsync(coordinator, $"queues/{name}", options => Queues(coordinator).PutAsync(
                new PutRequest { Queue = name, Items = { new QueueItem { Body = Text("2") } }, Timeout = time }, options));
        }
        ),
        ["GetRequest.timeout"] = (s_any, async (coordinator, time, name) =>
        {
            await CreateQueueAsync(coordinator, new QueueSpec { Name = name });
            await HangUpAsync(coordinator, $"queues/{name}", options => Queues(coordinator).GetAsync(
                new GetRequest { Queue = name, Timeout = time }, options));
        }
        ),
        ["GetRequest.lease"] = (s_day, async (coordinator, time, name) =>
        {
            await CreateQueueAsync(coordinator, new QueueSpec { Name = name });
            await PutAsync(coordinator, name);
            await Queues(coordinator).GetAsync(new GetRequest { Queue = name, Leased = true, Lease = time }, Soon);
        }
        ),
        ["SettleRequest.duration"] = (s_day, async (coordinator, time, name) =>
        {
            await CreateQueueAsync(coordinator, new QueueSpec { Name = name });
            await PutAsync(coordinator, name);
            var got = await Queues(coordinator).GetAsync(new GetRequest { Queue = name, Leased = true }, Soon);
            var settled = await Queues(coordinator).SettleAsync(
                new SettleRequest
                {
                    Queue = name,
                    LeaseIds = { got.Items[0].LeaseId },
                    Settlement = Settlement.Return,
                    Duration = time,
                    SessionId = got.SessionId
                }, Soon);
            Assert.Equal(1, settled.Settled);
        }
        ),
        ["JoinRequest.timeout"] = (s_any, async (coordinator, time, name) =>
        {
            await CreateQueueAsync(coordinator, new QueueSpec { Name = name });
            await PutAsync(coordinator, name);
            await HangUpAsync(coordinator, $"queues/{name}", options => Queues(coordinator).JoinAsync(
                new JoinRequest { Queue = name, Timeout = time }, options));
        }
        ),
        ["ConsumeRequest.lease"] = (s_day, async (coordinator, time, name) =>
        {
            await CreateQueueAsync(coordinator, new QueueSpec { Name = name });
            await PutAsync(coordinator, name);
            using var consume = Queues(coordinator).Consume(Soon);
            await consume.RequestStream.WriteAsync(new ConsumeRequest { Queue = name, Leased = true, Lease = time, Credits = 1 });
            Assert.True(await consume.ResponseStream.MoveNext(CancellationToken.None));
            Assert.Single(consume.ResponseStream.Current.Items);
        }
        ),
        ["CreateSessionRequest.ttl"] = (s_day, async (coordinator, time, _) => await coordinator.Sessions.CreateSessionAsync(
            new CreateSessionRequest { Ttl = time }, Soon)),
        ["DictEdit.ttl"] = (s_year, (coordinator, time, name) => SetAsync(coordinator, name, "far", time)),
        ["AcquireLockRequest.timeout"] = (s_any, async (coordinator, time, name) =>
        {
            await coordinator.Sync.AcquireLockAsync(new AcquireLockRequest { Lock = name }, Soon);
            await HangUpAsync(coordinator, $"locks/{name}", options => coordinator.Sync.AcquireLockAsync(
                new AcquireLockRequest { Lock = name, Timeout = time }, options));
        }
        ),
        ["AcquireLockRequest.lease"] = (s_day, async (coordinator, time, name) => await coordinator.Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = name, Lease = time }, Soon)),
        ["AcquireSemaphoreRequest.timeout"] = (s_any, async (coordinator, time, name) =>
        {
            await coordinator.Sync.AcquireSemaphoreAsync(new AcquireSemaphoreRequest { Semaphore = name, InitialPermits = 1 }, Soon);
            await HangUpAsync(coordinator, $"semaphores/{name}", options => coordinator.Sync.AcquireSemaphoreAsync(
                new AcquireSemaphoreRequest { Semaphore = name, Timeout = time }, options));
        }
        ),
        ["AcquireSemaphoreRequest.lease"] = (s_day, async (coordinator, time, name) =>
            await coordinator.Sync.AcquireSemaphoreAsync(
                new AcquireSemaphoreRequest { Semaphore = name, InitialPermits = 1, Lease = time }, Soon)),
        ["WaitEventRequest.timeout"] = (s_any, (coordinator, time, name) =>
            HangUpAsync(coordinator, $"events/{name}", options => coordinator.Sync.WaitEventAsync(
                new WaitEventRequest { Event = name, Timeout = time }, options))),
        ["WaitConditionRequest.timeout"] = (s_any, async (coordinator, time, name) =>
        {
            var session = await coordinator.OpenSessionAsync();
            await coordinator.Sync.AcquireLockAsync(new AcquireLockRequest { Lock = name, SessionId = session }, Soon);
            await HangUpAsync(coordinator, $"conditions/{name}", options => coordinator.Sync.WaitConditionAsync(
                new WaitConditionRequest { Condition = name, Lock = name, SessionId = session, Timeout = time }, options));
        }
        ),
        ["WaitBarrierRequest.timeout"] = (s_any, (coordinator, time, name) =>
            HangUpAsync(coordinator, $"barriers/{name}", options => coordinator.Sync.WaitBarrierAsync(
                new WaitBarrierRequest { Barrier = name, Parties = 2, Timeout = time }, options))),
        ["WaitLatchRequest.timeout"] = (s_any, (coordinator, time, name) =>
            HangUpAsync(coordinator, $"latches/{name}", options => coordinator.Sync.WaitLatchAsync(
                new WaitLatchRequest { Latch = name, Count = 1, Timeout = time }, options))),
        ["RateLimiterSpec.period"] = (Seconds(366 * 86_400), async (coordinator, time, name) =>
        {
            // The largest numbers together: the result exceeds the range of a duration.
            await coordinator.Sync.CreateRateLimiterAsync(
                new CreateRateLimiterRequest
                {
                    Spec =
                    new RateLimiterSpec { Name = name, Permits = 1, Burst = 1_000_000_000, Period = time }
                }, Soon);
            await coordinator.Sync.AcquirePermitsAsync(new AcquirePermitsRequest { RateLimiter = name, Permits = 1_000_000_000 }, Soon);
            var refused = await coordinator.Sync.AcquirePermitsAsync(
                new AcquirePermitsRequest { RateLimiter = name, Permits = 1_000_000_000, Timeout = new Duration() }, Soon);
            Assert.Equal(Seconds(Duration.MaxSeconds), refused.RetryAfter);
        }
        ),
        ["AcquirePermitsRequest.timeout"] = (s_any, async (coordinator, time, name) =>
        {
            await coordinator.Sync.CreateRateLimiterAsync(
                new CreateRateLimiterRequest { Spec = new RateLimiterSpec { Name = name, Permits = 1, Period = s_year } }, Soon);
            await coordinator.Sync.AcquirePermitsAsync(new AcquirePermitsRequest { RateLimiter = name }, Soon);
            await HangUpAsync(coordinator, $"rate_limiters/{name}", options => coordinator.Sync.AcquirePermitsAsync(
                new AcquirePermitsRequest { RateLimiter = name, Timeout = time }, options));
        }
        ),
        ["RetryPolicy.initial_backoff"] =
            (s_tenYears, (coordinator, time, _) => BackOffAsync(coordinator, new RetryPolicy { MaxAttempts = 2, InitialBackoff = time })),
        ["RetryPolicy.max_backoff"] = (s_tenYears, (coordinator, time, _) => BackOffAsync(
            coordinator, new RetryPolicy { MaxAttempts = 2, InitialBackoff = time, MaxBackoff = time })),
        ["TaskOptions.queue_timeout"] =
            (s_tenYears, (coordinator, time, _) => SucceedsAsync(coordinator, new TaskOptions { QueueTimeout = time })),
        ["TaskOptions.run_timeout"] =
            (s_tenYears, (coordinator, time, _) => SucceedsAsync(coordinator, new TaskOptions { RunTimeout = time })),
        ["TaskOptions.total_timeout"] =
            (s_tenYears, (coordinator, time, _) => SucceedsAsync(coordinator, new TaskOptions { TotalTimeout = time })),
        ["TaskOptions.cancel_grace"] = (s_tenYears, async (coordinator, time, _) =>
        {
            var id = await SubmitAsync(coordinator, Specs.Json("sleep", """{"ms": 60000}""", new TaskOptions { CancelGrace = time }));
            await UntilAsync(async () =>
                (await coordinator.Tasks.GetTaskAsync(new GetTaskRequest { TaskId = id }, Soon)).Task.State == TaskState.Running);
            await coordinator.Tasks.CancelTasksAsync(new CancelTasksRequest { TaskIds = { id } }, Soon);
            await UntilAsync(async () =>
                (await coordinator.Tasks.GetTaskAsync(new GetTaskRequest { TaskId = id }, Soon)).Task.State == TaskState.Cancelled);
        }
        ),
        ["TaskOptions.result_ttl"] =
            (s_tenYears, (coordinator, time, _) => SucceedsAsync(coordinator, new TaskOptions { ResultTtl = time })),
        ["WaitTasksRequest.timeout"] = (s_any, async (coordinator, time, _) =>
        {
            var id = await SubmitAsync(coordinator, Specs.Json("sleep", """{"ms": 50}"""));
            var waited = await coordinator.Tasks.WaitTasksAsync(new WaitTasksRequest { TaskIds = { id }, Timeout = time }, Soon);
            Assert.Single(waited.Done);
        }
        ),
    };

    [Fact]
    public void Every_duration_of_a_request_is_in_the_table() =>
        Assert.Equal(DurationFields().Order(StringComparer.Ordinal), s_fields.Keys.Order(StringComparer.Ordinal));

    [Fact]
    public async Task Every_duration_works_at_its_maximum_alone_and_after_an_earlier_one()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--hot-spares", "0", "--allow-chaos");
        var (field, number) = ("", 0);
        try
        {
            foreach (var next in s_fields.Keys)
            {
                field = next;
                // A deadline of both engines passes after each, so that each far deadline becomes the next one.
                await s_fields[field].Use(coordinator, s_fields[field].Maximum, $"far-{number++}");
                await PassDeadlinesAsync(coordinator, $"near-{number}");
            }
        }
        catch (RpcException exception)
        {
            Assert.Fail($"{field} at {s_fields[field].Maximum}: {exception.Status}\n{coordinator.Output}");
        }
    }

    [Fact]
    public async Task A_dict_entry_of_a_year_that_follows_one_of_a_moment_outlives_it_and_a_restart()
    {
        await using var first = await CoordinatorProcess.StartAsync("--workers", "1", "--hot-spares", "0", "--allow-chaos");
        using (var watch = State(first).WatchState(new WatchStateRequest { Kind = StateKind.Dict, Name = "d" }, Soon))
        {
            await SetAsync(first, "d", "near", Milliseconds(100), Durability.Process);
            await SetAsync(first, "d", "far", s_year, Durability.Process);
            while (await watch.ResponseStream.MoveNext(CancellationToken.None) && watch.ResponseStream.Current.DictDeletedKey != "near")
            {
            }
        }

        // Every durable object that can have a far deadline.
        await CreateQueueAsync(first, new QueueSpec { Name = "idle", IdleTtl = s_year, Durability = Durability.Process });
        await CreateQueueAsync(first, new QueueSpec { Name = "delayed", Durability = Durability.Process });
        await PutAsync(first, "delayed");
        var got = await Queues(first).GetAsync(new GetRequest { Queue = "delayed", Leased = true }, Soon);
        await Queues(first).SettleAsync(
            new SettleRequest
            {
                Queue = "delayed",
                LeaseIds = { got.Items[0].LeaseId },
                Settlement = Settlement.Return,
                Duration = s_day,
                SessionId = got.SessionId
            }, Soon);
        var waiting = await SubmitAsync(first, Specs.Json("throw", """{"message": "x"}""", new TaskOptions
        {
            TotalTimeout = s_tenYears,
            QueueTimeout = s_tenYears,
            ResultTtl = s_tenYears,
            Durability = Durability.Process,
            Retry = new RetryPolicy { MaxAttempts = 2, InitialBackoff = s_tenYears, MaxBackoff = s_tenYears },
        }));
        await UntilAsync(async () => (await first.Tasks.GetTaskAsync(
            new GetTaskRequest { TaskId = waiting }, Soon)).Task is { State: TaskState.Queued, Attempts.Count: 1 });
        var done = await SubmitAsync(
            first, Specs.Json("echo", "1", new TaskOptions { ResultTtl = s_tenYears, Durability = Durability.Process }));
        await first.Tasks.WaitTasksAsync(new WaitTasksRequest { TaskIds = { done } }, Soon);
        await first.KillAndWaitAsync();

        await using var second = await first.StartAgainAsync();
        var entries = (await State(second).ReadDictAsync(new ReadDictRequest { Dict = "d" }, Soon)).Entries;
        Assert.Equal("far", Assert.Single(entries).Key);
        Assert.Equal(1, (await Queues(second).GetQueueAsync(new GetQueueRequest { Queue = "delayed" }, Soon)).Queue.DelayedItems);
        Assert.NotNull((await Queues(second).GetQueueAsync(new GetQueueRequest { Queue = "idle" }, Soon)).Queue);
        var backingOff = (await second.Tasks.GetTaskAsync(new GetTaskRequest { TaskId = waiting }, Soon)).Task;
        Assert.True(backingOff.State == TaskState.Queued, $"{backingOff}");
        Assert.Equal(TaskState.Succeeded, (await second.Tasks.GetTaskAsync(new GetTaskRequest { TaskId = done }, Soon)).Task.State);
        await PassDeadlinesAsync(second, "near");
    }

    [Fact]
    public async Task Drain_takes_the_longest_timeout()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--hot-spares", "0");
        Assert.Equal(0, (await coordinator.Admin.DrainAsync(new DrainRequest { Timeout = s_any }, Soon)).UnfinishedTasks);
    }

    [Fact]
    public async Task The_command_takes_a_run_timeout_of_2000_hours()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--hot-spares", "0");
        var run = await CommandLine.RunAsync("run", "echo", "1", "--run-timeout", "2000h", "--data-dir", coordinator.DataDirectory);
        Assert.Equal((0, "1"), (run.ExitCode, run.Output.Trim()));
    }

    private static Task UseInWatchAsync(CoordinatorProcess coordinator, Duration time, string name) => Task.Run(async () =>
    {
        using var watch = coordinator.Admin.WatchStatus(new WatchStatusRequest { Interval = time }, Soon);
        Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
    });

    /// <summary>Lets a timeout pass in one engine, and a run timeout in the other.</summary>
    private static async Task PassDeadlinesAsync(CoordinatorProcess coordinator, string name)
    {
        var timedOut = await coordinator.Sync.WaitEventAsync(new WaitEventRequest { Event = name, Timeout = Milliseconds(2) }, Soon);
        Assert.Equal(WaitStatus.Timeout, timedOut.Status);
        var result = await coordinator.RunAsync(Specs.Json("sleep", """{"ms": 60000}""", new TaskOptions { RunTimeout = Milliseconds(2) }));
        Assert.Equal(TaskState.TimedOut, result.State);
    }

    /// <summary>The caller cancels a waiting call.</summary>
    private static async Task HangUpAsync<T>(CoordinatorProcess coordinator, string waitsAt, Func<CallOptions, AsyncUnaryCall<T>> begin)
    {
        using var ending = new CancellationTokenSource();
        using var call = begin(new CallOptions(cancellationToken: ending.Token));
        var answer = call.ResponseAsync;
        await UntilAsync(async () => answer.IsCompleted
            || (await coordinator.Admin.ExplainWaitsAsync(new ExplainWaitsRequest(), Soon)).Edges.Any(edge => edge.Object == waitsAt));
        await PassDeadlinesAsync(coordinator, $"{waitsAt}-near");
        await ending.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => answer)).StatusCode);
    }

    private static async Task BackOffAsync(CoordinatorProcess coordinator, RetryPolicy retry)
    {
        var id = await SubmitAsync(coordinator, Specs.Json("throw", """{"message": "x"}""", new TaskOptions { Retry = retry }));
        await UntilAsync(async () => (await coordinator.Tasks.GetTaskAsync(
            new GetTaskRequest { TaskId = id }, Soon)).Task is { State: TaskState.Queued, Attempts.Count: 1 });
    }

    private static async Task SucceedsAsync(CoordinatorProcess coordinator, TaskOptions options) =>
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("echo", "1", options))).State);

    private static async Task<ulong> SubmitAsync(CoordinatorProcess coordinator, TaskSpec spec) =>
        (await coordinator.Tasks.SubmitTasksAsync(new SubmitTasksRequest { Tasks = { spec } }, Soon)).TaskIds[0];

    private static async Task SetAsync(
        CoordinatorProcess coordinator, string dict, string key, Duration ttl, Durability durability = Durability.Unspecified) =>
        await State(coordinator).UpdateDictAsync(
            new UpdateDictRequest
            {
                Dict = dict,
                Edits = { new DictEdit { Key = key, Set = Text("x"), Ttl = ttl } },
                Durability = durability
            }, Soon);

    private static async Task CreateQueueAsync(CoordinatorProcess coordinator, QueueSpec spec) =>
        await Queues(coordinator).CreateQueueAsync(new CreateQueueRequest { Spec = spec }, Soon);

    private static async Task PutAsync(CoordinatorProcess coordinator, string queue) =>
        await Queues(coordinator).PutAsync(new PutRequest { Queue = queue, Items = { new QueueItem { Body = Text("1") } } }, Soon);

    private static QueueService.QueueServiceClient Queues(CoordinatorProcess coordinator) => new(coordinator.Invoker);

    private static StateService.StateServiceClient State(CoordinatorProcess coordinator) => new(coordinator.Invoker);

    private static Duration Seconds(long seconds) => new() { Seconds = seconds };

    private static Duration Milliseconds(int milliseconds) => Duration.FromTimeSpan(TimeSpan.FromMilliseconds(milliseconds));

    /// <summary>The fields of all messages that a client can send.</summary>
    private static HashSet<string> DurationFields()
    {
        var fields = new HashSet<string>();
        var seen = new HashSet<string>();
        var pending = new Queue<MessageDescriptor>(
            new[] { TasksReflection.Descriptor, QueuesReflection.Descriptor, PipesReflection.Descriptor, StateReflection.Descriptor,
                SyncReflection.Descriptor, SessionsReflection.Descriptor, AdminReflection.Descriptor }
                .SelectMany(file => file.Services).SelectMany(service => service.Methods).Select(method => method.InputType));
        while (pending.TryDequeue(out var message))
        {
            if (!seen.Add(message.FullName))
                continue;
            foreach (var field in message.Fields.InDeclarationOrder().Where(field => field.FieldType == FieldType.Message))
            {
                if (field.MessageType.FullName == Duration.Descriptor.FullName)
                    fields.Add($"{message.Name}.{field.Name}");
                else
                    pending.Enqueue(field.MessageType);
            }
        }

        return fields;
    }
}
