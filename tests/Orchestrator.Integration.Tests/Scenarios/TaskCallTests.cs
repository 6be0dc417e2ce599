using Grpc.Core;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Integration.Tests.Scenarios;

/// <summary>The calls of TaskService through a real socket and real worker processes.</summary>
public sealed class TaskCallTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    [Fact]
    public async Task RunTask_answers_with_the_result_and_its_timing()
    {
        var result = await _coordinator.RunAsync(Specs.Json("fibonacci", """{"n": 20}""", tag: 7));
        Assert.Equal(TaskState.Succeeded, result.State);
        Assert.Equal(6765, result.Output.Json.NumberValue);
        Assert.Equal(7UL, result.Tag);
        Assert.Equal(1, result.Attempt);
        Assert.Matches(@"^worker-[12]#\d+$", result.Worker);
        Assert.NotNull(result.Timing.AcceptedAt);
        Assert.True(result.Timing.Run.ToTimeSpan() > TimeSpan.Zero);
        // Worker and coordinator share a clock, so the two directions can be timed separately.
        Assert.InRange(result.Timing.Reply.ToTimeSpan(), TimeSpan.FromTicks(1), TimeSpan.FromSeconds(10));
        Assert.NotNull(result.Timing.CpuTime);
        Assert.NotEqual(0ul, result.Timing.AllocatedBytes);
    }

    [Fact]
    public async Task Bytes_pass_through_unchanged()
    {
        var data = Enumerable.Range(0, 1_000_000).Select(i => (byte)(i * 31)).ToArray();
        var result = await _coordinator.RunAsync(Specs.Bytes("echo", data));
        Assert.Equal(data, result.Output.Data.ToByteArray());
    }

    [Fact]
    public async Task A_stream_answers_every_task_once_under_its_tag()
    {
        var results = await _coordinator.StreamAsync(
            Enumerable.Range(0, 3_000).Select(i => Specs.Json("fibonacci", $"{{\"n\": {i % 15}}}", tag: (ulong)i)));
        Assert.Equal(3_000, results.Count);
        Assert.Equal(Enumerable.Range(0, 3_000).Select(i => (ulong)i), results.Select(result => result.Tag).Order());
        Assert.All(results, result => Assert.Equal(Fibonacci((int)result.Tag % 15), result.Output.Json.NumberValue));

        static double Fibonacci(int n) => n < 2 ? n : Fibonacci(n - 1) + Fibonacci(n - 2);
    }

    [Fact]
    public async Task Results_come_in_the_order_of_submission_where_asked_for()
    {
        // Earlier tasks run longer: in the order of completion they would come reversed.
        var results = await _coordinator.StreamAsync(
            Enumerable.Range(0, 10).Select(i => Specs.Json("sleep", $"{{\"ms\": {200 - (i * 20)}}}", tag: (ulong)i)),
            new StreamOptions { Order = ResultOrder.Submission });
        Assert.Equal(Enumerable.Range(0, 10).Select(i => (ulong)i), results.Select(result => result.Tag));
    }

    [Fact]
    public async Task Results_come_as_they_complete_otherwise()
    {
        var results = await _coordinator.StreamAsync(
            [Specs.Json("sleep", """{"ms": 500}""", tag: 1), Specs.Json("sleep", """{"ms": 1}""", tag: 2)]);
        Assert.Equal([2UL, 1UL], results.Select(result => result.Tag));
    }

    [Fact]
    public async Task Fail_fast_cancels_the_rest()
    {
        var results = await _coordinator.StreamAsync(
            [Specs.Json("sleep", """{"ms": 60000}""", tag: 1), Specs.Json(
                "throw", """{"message": "no"}""", tag: 2), Specs.Json("sleep", """{"ms": 60000}""", tag: 3)],
            new StreamOptions { FailFast = true });
        Assert.Equal(TaskState.Failed, results.Single(result => result.Tag == 2).State);
        Assert.All(results.Where(result => result.Tag != 2), result => Assert.Equal(TaskState.Cancelled, result.State));
    }

    [Fact]
    public async Task Cancel_by_tag_ends_a_task_of_the_stream_cooperatively()
    {
        using var call = _coordinator.Tasks.StreamTasks(CoordinatorProcess.Deadline());
        var together = new TaskOptions { AffinityKey = "together" };
        await call.RequestStream.WriteAsync(new StreamTasksRequest
        {
            Tasks = { Specs.Json("sleep", """{"ms": 60000}""", together, tag: 5), Specs.Json("sleep", """{"ms": 10}""", together, tag: 6) },
        });
        var results = new List<TaskResult>();
        var cancelled = false;
        await foreach (var response in call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            results.AddRange(response.Results);
            if (cancelled || results.Count == 0)
                continue;
            // Both went to the same worker, whose lane starts them in order: the second has ended, so the first runs.
            cancelled = true;
            await call.RequestStream.WriteAsync(new StreamTasksRequest { CancelTags = { 5 } });
            await call.RequestStream.CompleteAsync();
        }

        Assert.Equal(TaskState.Cancelled, results.Single(result => result.Tag == 5).State);
        Assert.Equal(CancelRung.Cooperative, results.Single(result => result.Tag == 5).Error.Rung);
        Assert.Equal(TaskState.Succeeded, results.Single(result => result.Tag == 6).State);
    }

    [Fact]
    public async Task A_stream_that_hangs_up_cancels_its_tasks_and_a_detached_one_does_not()
    {
        Assert.Equal(TaskState.Cancelled, await EndAfterHangUp(detach: false));
        Assert.Equal(TaskState.Succeeded, await EndAfterHangUp(detach: true));

        async Task<TaskState> EndAfterHangUp(bool detach)
        {
            var label = Guid.NewGuid().ToString("N");
            using (var call = _coordinator.Tasks.StreamTasks(CoordinatorProcess.Deadline()))
            {
                await call.RequestStream.WriteAsync(new StreamTasksRequest
                {
                    Options = new StreamOptions { DetachOnDisconnect = detach },
                    Tasks = { Specs.Json("sleep", """{"ms": 700}""", new TaskOptions { Labels = { ["test"] = label } }) },
                });
                // The first response shows that the request has been read.
                await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken);
                await WaitUntilListedAsync(label);
            }

            var id = await WaitUntilListedAsync(label);
            return (await _coordinator.WaitAsync([id])).Single().State;
        }

        async Task<ulong> WaitUntilListedAsync(string label)
        {
            while (true)
            {
                var tasks = await _coordinator.Tasks.ListTasksAsync(
                    new ListTasksRequest { Handler = "sleep" }, CoordinatorProcess.Deadline());
                if (tasks.Tasks.FirstOrDefault(
                    task => task.Options.Labels.ContainsKey("test") && task.Options.Labels["test"] == label) is { } found)
                    return found.TaskId;
            }
        }
    }

    [Fact]
    public async Task Submit_wait_get_and_list_tell_of_a_task_to_whoever_asks()
    {
        var ids = await _coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 1}"""), Specs.Json("throw", """{"message": "broken"}"""));
        var done = await _coordinator.WaitAsync(ids);
        Assert.Equal([TaskState.Succeeded, TaskState.Failed], done.Select(result => result.State));
        Assert.Contains("broken", done[1].Error.Message, StringComparison.Ordinal);
        var info = (await _coordinator.Tasks.GetTaskAsync(new GetTaskRequest { TaskId = ids[1] }, CoordinatorProcess.Deadline())).Task;
        Assert.Equal("throw", info.Handler);
        Assert.Equal(ErrorReason.HandlerFailed, info.Result.Error.Reason);
        Assert.NotEmpty(info.Result.Error.StackTrace);
        var listed = await _coordinator.Tasks.ListTasksAsync(
            new ListTasksRequest { States = { TaskState.Failed }, Handler = "throw", PageSize = 1 }, CoordinatorProcess.Deadline());
        Assert.Equal(ids[1], listed.Tasks.Single().TaskId);
    }

    [Fact]
    public async Task A_few_tasks_are_listed_from_behind_thousands_of_others()
    {
        var first = await _coordinator.SubmitAsync(Specs.Json("throw", """{"message": "old"}"""));
        var others = new List<ulong>();
        for (var i = 0; i < 9; i++)
            others.AddRange(await _coordinator.SubmitAsync([.. Enumerable.Repeat(Specs.Json("sleep", """{"ms": 60000}"""), 500)]));
        var listed = await _coordinator.Tasks.ListTasksAsync(
            new ListTasksRequest { Handler = "throw", PageToken = $"{others[^1] + 1}", PageSize = 1 }, CoordinatorProcess.Deadline());
        Assert.Equal(first.Single(), listed.Tasks.Single().TaskId);
        await _coordinator.Tasks.CancelTasksAsync(new CancelTasksRequest { TaskIds = { others } }, CoordinatorProcess.Deadline());
    }

    [Fact]
    public async Task Wait_for_the_first_answers_before_the_rest_and_a_timeout_is_a_result()
    {
        var ids = await _coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 60000}"""), Specs.Json("sleep", """{"ms": 1}"""));
        var first = await _coordinator.Tasks.WaitTasksAsync(
            new WaitTasksRequest { TaskIds = { ids }, Mode = WaitMode.FirstCompleted }, CoordinatorProcess.Deadline());
        Assert.Equal(ids[1], first.Done.Single().TaskId);
        Assert.Equal(ids[0], first.PendingTaskIds.Single());
        var none = await _coordinator.Tasks.WaitTasksAsync(
            new WaitTasksRequest { TaskIds = { ids[0] }, Timeout = Specs.Seconds(0) }, CoordinatorProcess.Deadline());
        Assert.Empty(none.Done);
        var cancelled = await _coordinator.Tasks.CancelTasksAsync(
            new CancelTasksRequest { TaskIds = { ids } }, CoordinatorProcess.Deadline());
        Assert.Equal(ids[0], cancelled.CancelledTaskIds.Single());
        Assert.Equal(TaskState.Cancelled, (await _coordinator.WaitAsync([ids[0]])).Single().State);
    }

    [Fact]
    public async Task A_watch_tells_the_life_of_a_task_in_order_and_resumes()
    {
        var id = (await _coordinator.SubmitAsync(Specs.Json("throw", """{"message": "again"}""", new TaskOptions
        {
            Retry = new RetryPolicy { MaxAttempts = 2, InitialBackoff = Specs.Seconds(0.01) },
        }))).Single();
        var events = await WatchAsync(0);
        Assert.Equal(
            [TaskState.Queued, TaskState.Running, TaskState.Queued, TaskState.Running],
            events.Where(item => item.EventCase == TaskEvent.EventOneofCase.State).Select(item => item.State));
        Assert.Equal(TaskState.Failed, events[^1].Result.State);
        Assert.Equal(2, events[^1].Result.Attempt);
        Assert.Equal(events.Select(item => item.Sequence).Order(), events.Select(item => item.Sequence));
        var resumed = await WatchAsync(events[2].Sequence);
        Assert.Equal(events.Skip(3).Select(item => item.Sequence), resumed.Select(item => item.Sequence));

        async Task<List<TaskEvent>> WatchAsync(ulong after)
        {
            var seen = new List<TaskEvent>();
            using var watch = _coordinator.Tasks.WatchTasks(
                new WatchTasksRequest { TaskIds = { id }, AfterSequence = after }, CoordinatorProcess.Deadline());
            await foreach (var response in watch.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
                seen.Add(response.Event);
            return seen;
        }
    }

    [Fact]
    public async Task The_same_request_id_runs_once()
    {
        var key = Guid.NewGuid().ToString("N");
        var ids = await _coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 200}""", requestId: key));
        var again = await _coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 200}""", requestId: key));
        Assert.Equal(ids, again);
        var joined = await _coordinator.RunAsync(Specs.Json("sleep", """{"ms": 200}""", tag: 9, requestId: key));
        Assert.Equal(ids[0], joined.TaskId);
        Assert.Equal(9UL, joined.Tag);
    }

    [Fact]
    public async Task A_task_runs_after_those_it_depends_on_and_fails_with_them()
    {
        var first = (await _coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 100}"""))).Single();
        var second = (await _coordinator.SubmitAsync(Specs.Json("fibonacci", """{"n": 5}""", new TaskOptions { DependsOn = { first } })))
            .Single();
        var broken = (await _coordinator.SubmitAsync(Specs.Json("throw", """{"message": "x"}"""))).Single();
        var dependent =
            (await _coordinator.SubmitAsync(Specs.Json("fibonacci", """{"n": 5}""", new TaskOptions { DependsOn = { broken } }))).Single();
        var results = await _coordinator.WaitAsync([second, dependent]);
        Assert.Equal(TaskState.Succeeded, results[0].State);
        Assert.Equal(ErrorReason.DependencyFailed, results[1].Error.Reason);
        var firstEnd = (await _coordinator.Tasks.GetTaskAsync(new GetTaskRequest { TaskId = first }, CoordinatorProcess.Deadline())).Task;
        Assert.Equal(TaskState.Succeeded, firstEnd.State);
    }

    [Fact]
    public async Task A_concurrency_key_holds_over_all_workers()
    {
        var options = new TaskOptions { ConcurrencyKey = "one", ConcurrencyLimit = 1 };
        var results = await _coordinator.StreamAsync(
            Enumerable.Range(0, 6).Select(
                i => Specs.Json("sleep", """{"ms": 50}""", options, (ulong)i)), new StreamOptions { Timing = true });
        Assert.Equal(6, results.Count);
        // Never two at once: each was accepted at the same time and started after the run of the one before.
        var starts = results.Select(result => result.Timing.Queued.ToTimeSpan()).Order().ToArray();
        Assert.All(starts.Zip(starts.Skip(1)), pair => Assert.True(pair.Second - pair.First >= TimeSpan.FromMilliseconds(45), $"{pair}"));
    }

    [Fact]
    public async Task Attempts_take_permits_of_a_rate_limiter_that_clients_share()
    {
        var sync = _coordinator.Sync;
        await sync.CreateRateLimiterAsync(new CreateRateLimiterRequest
        {
            Spec =
            new RateLimiterSpec { Name = "api", Permits = 4, Period = Specs.Seconds(86_400) }
        }, CoordinatorProcess.Deadline());
        await sync.AcquirePermitsAsync(new AcquirePermitsRequest { RateLimiter = "api" }, CoordinatorProcess.Deadline());
        var options = new TaskOptions { RateLimiter = "api" };
        var ids = await _coordinator.SubmitAsync(
            Enumerable.Range(0, 6).Select(i => Specs.Json("fibonacci", """{"n": 5}""", options, (ulong)i)));
        Assert.All(await _coordinator.WaitAsync(ids.Take(3)), result => Assert.Equal(TaskState.Succeeded, result.State));
        // Once its caller has cancelled it, a task takes no permit.
        await _coordinator.Tasks.CancelTasksAsync(new CancelTasksRequest { TaskIds = { ids[5] } }, CoordinatorProcess.Deadline());
        // The others pass.
        Assert.Equal(TaskState.Succeeded, (await _coordinator.RunAsync(Specs.Json("fibonacci", """{"n": 5}"""))).State);
        foreach (var id in ids.Skip(3).Take(2))
            Assert.Equal(TaskState.Queued,
                (await _coordinator.Tasks.GetTaskAsync(new GetTaskRequest { TaskId = id }, CoordinatorProcess.Deadline())).Task.State);
        await sync.DeleteRateLimiterAsync(new DeleteRateLimiterRequest { RateLimiter = "api" }, CoordinatorProcess.Deadline());
        Assert.All(await _coordinator.WaitAsync(ids.Skip(3).Take(2)), result =>
        {
            Assert.Equal((TaskState.Failed, ErrorReason.NotFound), (result.State, result.Error.Reason));
            Assert.Contains("'api'", result.Error.Message, StringComparison.Ordinal);
        });
        var refused = await Assert.ThrowsAsync<RpcException>(() => _coordinator.RunAsync(Specs.Json("echo", options: options)));
        Assert.Equal(StatusCode.NotFound, refused.StatusCode);
        Assert.Contains("there is no rate limiter 'api'", refused.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_thousand_tasks_pass_a_rate_limiter_that_has_permits_for_all()
    {
        await _coordinator.Sync.CreateRateLimiterAsync(new CreateRateLimiterRequest
        {
            Spec =
            new RateLimiterSpec { Name = "wide", Permits = 1_000, Period = Specs.Seconds(86_400) }
        }, CoordinatorProcess.Deadline());
        var options = new TaskOptions { RateLimiter = "wide" };
        var results = await _coordinator.StreamAsync(
            Enumerable.Range(0, 1_000).Select(i => Specs.Json("echo", "1", i % 2 == 0 ? options : null, (ulong)i)));
        Assert.All(results, result => Assert.Equal(TaskState.Succeeded, result.State));
        Assert.Equal(1_000, results.Count);
    }

    [Fact]
    public async Task In_process_placements_run_the_same_handlers_in_the_coordinator()
    {
        foreach (var placement in new[] { Placement.InProcessSequential, Placement.InProcessThreads, Placement.InProcessAsync })
        {
            var result = await _coordinator.RunAsync(Specs.Json("fibonacci", """{"n": 10}""", new TaskOptions { Placement = placement }));
            Assert.Equal(55, result.Output.Json.NumberValue);
            Assert.Empty(result.Worker);
        }
    }

    [Fact]
    public async Task Handlers_are_listed_with_kind_and_example()
    {
        var handlers = (await _coordinator.Tasks.ListHandlersAsync(new ListHandlersRequest(), CoordinatorProcess.Deadline())).Handlers;
        var squares = handlers.Single(handler => handler.Name == "sum_of_squares");
        Assert.Equal(TaskKind.Cpu, squares.Kind);
        Assert.NotEmpty(squares.Description);
        var result = await _coordinator.RunAsync(new TaskSpec { Handler = squares.Name, Input = squares.ExampleInput });
        Assert.Equal(TaskState.Succeeded, result.State);
        Assert.Equal(TaskKind.Io, handlers.Single(handler => handler.Name == "sleep").Kind);
        Assert.Equal(TaskKind.Blocking, handlers.Single(handler => handler.Name == "blocking_sleep").Kind);
    }
}
