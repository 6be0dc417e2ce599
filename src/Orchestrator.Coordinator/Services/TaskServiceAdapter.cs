using Grpc.Core;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Security;
using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;
using Orchestrator.Transport.RawMessages;
using Orchestrator.V1;
using Durability = Orchestrator.Core.Common.Durability;
using PlacementPolicy = Orchestrator.Core.TaskModel.PlacementPolicy;

namespace Orchestrator.Coordinator.Services;

/// <summary><c>TaskService</c>: validate, translate, engine, translate.</summary>
internal sealed class TaskServiceAdapter(
    TaskEngineHost host,
    ObjectEngineHost objects,
    MonotonicClock clock,
    SubmissionReader submissions,
    TaskResultMapper results,
    TaskListing listing,
    StreamRegistry streams,
    StreamLimits streamLimits,
    MemoryBudget memory) : RawTaskMessages.TaskServiceBase
{
    private const int DefaultPageSize = 100;
    private const int MaxPageSize = 1_000;

    public override async Task<RawRunTaskResponse> RunTask(RawRunTaskRequest request, ServerCallContext context)
    {
        var submission = WithDeadline(submissions.ReadOrThrow(request.Task, CallScope.TraceParentOf(context), "task"), context);
        var receiver = new UnaryTaskCompletion { WantsTiming = true };
        host.Apply(new TaskCommand.Submit([submission], receiver) { Client = ClientQuota.Of(context).Tasks });
        if (!receiver.Ended.IsCompleted)
        {
            await using var abandon = context.CancellationToken.UnsafeRegister(
                static (state, _) =>
                {
                    var (host, receiver) = ((TaskEngineHost, UnaryTaskCompletion))state!;
                    // The call's deadline is also the task's total timeout, and must take effect before the caller's cancellation does.
                    host.Tick();
                    host.Apply(new TaskCommand.Abandon(receiver));
                    receiver.Abandon();
                },
                (host, receiver));
            await receiver.Ended;
        }

        var outcome = await receiver.Ended;
        if (outcome.Refusal is { } refusal)
            throw RpcErrors.From(refusal);
        return new RawRunTaskResponse { Result = results.ToResult(outcome.Task!, outcome.Tag, timing: true) };
    }

    public override async Task StreamTasks(
        IAsyncStreamReader<MessageBuffer> requestStream, IServerStreamWriter<MessageBuffer> responseStream, ServerCallContext context)
    {
        if (!await requestStream.MoveNext(context.CancellationToken))
            throw RpcErrors.Invalid(
                "requests", "the stream ended before its first message; send at least one StreamTasksRequest with tasks");
        var stream = new TaskStreamSession(ReadOptions(requestStream.Current.Content), responseStream, host, submissions, results,
            streamLimits, ClientQuota.Of(context).Tasks, memory)
        {
            TraceOfCall = CallScope.TraceParentOf(context),
        };
        using var registration = streams.Add(stream);
        try
        {
            stream.Announce(streams.Instance);
            do
            {
                Take(stream, requestStream.Current);
                await stream.WaitForCreditsAsync().WaitAsync(context.CancellationToken);
            }
            while (await MoveNextAsync(requestStream, context));

            await stream.WaitUntilEmptyAsync().WaitAsync(context.CancellationToken);
        }
        finally
        {
            // After a clean end no task is left to abandon.
            host.Apply(new TaskCommand.Abandon(stream));
            await stream.CloseAsync(context.CancellationToken);
        }
    }

    public override async Task<SubmitTasksResponse> SubmitTasks(RawSubmitTasksRequest request, ServerCallContext context)
    {
        List<Violation>? violations = null;
        if (FieldLimits.OfElements(request.Tasks.Count, "tasks") is { } many)
            throw RpcErrors.Invalid([many]);
        var tasks = new TaskSubmission[request.Tasks.Count];
        var trace = CallScope.TraceParentOf(context);
        for (var i = 0; i < tasks.Length; i++)
            tasks[i] = submissions.Read(request.Tasks[i], null, trace, $"tasks[{i}]", ref violations);
        if (tasks.Length == 0)
            (violations ??= []).Add(new Violation("tasks", "is empty; send at least one"));
        if (violations is not null)
            throw RpcErrors.Invalid(violations);
        var response = new SubmitTasksResponse();
        var refusal = host.Apply(new TaskCommand.Submit(tasks, null, AllOrNone: true) { Client = ClientQuota.Of(context).Tasks }, effects =>
        {
            foreach (var outcome in effects.Submitted)
            {
                if (outcome.Refusal is { } reason)
                    return reason;
                response.TaskIds.Add((ulong)(outcome.Task?.Id ?? 0));
            }

            return null;
        });
        if (refusal is not null)
            throw RpcErrors.From(refusal);
        if (System.Array.Exists(tasks, task => task.Policy.Durability > Durability.Memory))
            await host.WrittenAsync();
        return response;
    }

    public override async Task<RawWaitTasksResponse> WaitTasks(WaitTasksRequest request, ServerCallContext context)
    {
        var ids = ReadIds(request.TaskIds, "task_ids");
        var mode = request.Mode == WaitMode.Unspecified ? WaitMode.All : request.Mode;
        if (!System.Enum.IsDefined(mode))
            throw RpcErrors.Invalid("mode", $"{(int)mode} is no WaitMode; 1 (all), 2 (first completed) and 3 (first failed) are");
        var timeout = ProtoTime.ToWait(request.Timeout);
        if (timeout < TimeSpan.Zero)
            throw RpcErrors.Invalid(
                "timeout", $"{timeout} is negative; zero does not wait, absent waits as long as the call's deadline allows");
        var wait = new TaskWait(mode, ids.Count);
        var unknown = Watch(new TaskCommand.Watch(wait, ids), start =>
        {
            foreach (var item in start.Past)
                wait.OnEvent(item);
        });
        try
        {
            if (unknown.Count > 0)
                throw Missing(unknown[0]);
            wait.Flush(alone: true);
            await WaitAsync(wait.Satisfied, request, ids, timeout, context);
        }
        catch (TimeoutException)
        {
            // A wait that times out has a result: the ended tasks and the pending ones.
        }
        finally
        {
            host.Apply(new TaskCommand.Unwatch(wait, ids));
        }

        await SettleAsync(ids);
        return host.Read(view => ToResponse(view, ids));
    }

    public override async Task WatchTasks(
        WatchTasksRequest request, IServerStreamWriter<RawWatchTasksResponse> responseStream, ServerCallContext context)
    {
        var ids = ReadIds(request.TaskIds, "task_ids");
        await SettleAsync(ids);
        var watch = new TaskWatch(responseStream.WriteAsync, results, memory);
        var unknown = Watch(
            new TaskCommand.Watch(watch, ids, (long)Math.Min(request.AfterSequence, long.MaxValue)),
            start => watch.Begin(start.Past, start.Had, start.Unfinished));
        try
        {
            if (unknown.Count > 0)
                throw Missing(unknown[0]);
            watch.Flush(alone: true);
            await watch.Finished.WaitAsync(context.CancellationToken);
        }
        finally
        {
            host.Apply(new TaskCommand.Unwatch(watch, ids));
            await watch.CloseAsync(context.CancellationToken);
        }
    }

    public override async Task<CancelTasksResponse> CancelTasks(CancelTasksRequest request, ServerCallContext context)
    {
        var ids = ReadIds(request.TaskIds, "task_ids");
        var response = new CancelTasksResponse();
        var isDurable = host.Apply(new TaskCommand.Cancel(ids, request.Force), effects =>
        {
            response.CancelledTaskIds.AddRange(effects.Cancelled.Select(id => (ulong)id));
            return effects.Changes.Count > 0;
        });
        if (isDurable)
            await host.WrittenAsync();
        return response;
    }

    public override async Task<GetTaskResponse> GetTask(GetTaskRequest request, ServerCallContext context)
    {
        var info = host.Read(view => view.Find((long)request.TaskId) is { } task ? results.ToInfo(task, withOutput: true) : null)
            ?? throw Missing((long)request.TaskId);
        if (info.Options.Durability > V1.Durability.Memory)
            await host.WrittenAsync();
        return new GetTaskResponse { Task = info };
    }

    public override Task<ListTasksResponse> ListTasks(ListTasksRequest request, ServerCallContext context)
    {
        var before = long.MaxValue;
        if (request.PageToken.Length > 0 && !long.TryParse(request.PageToken, out before))
            throw RpcErrors.Invalid("page_token", $"'{request.PageToken}' did not come from a next_page_token");
        if (request.PageSize < 0)
            throw RpcErrors.Invalid("page_size", $"{request.PageSize} is negative; 0 takes {DefaultPageSize}");
        var size = request.PageSize == 0 ? DefaultPageSize : Math.Min(request.PageSize, MaxPageSize);
        var filter = new TaskFilter(request, clock);
        var response = listing.List(before, size, filter);
        if (request.Total)
            (response.Total, response.TotalIsMinimum) = listing.Count(filter);
        return Task.FromResult(response);
    }

    public override Task<ListHandlersResponse> ListHandlers(ListHandlersRequest request, ServerCallContext context)
    {
        var response = new ListHandlersResponse();
        response.Handlers.AddRange(
            host.Read(view => view.HandlersOf(PlacementPolicy.WorkerProcess).Select(HandlerOffers.ToInfo).ToArray()));
        return Task.FromResult(response);
    }

    /// <summary>
    /// A reported state of a durable task must survive a restart: its changes are written first, or the write has failed.
    /// </summary>
    /// <summary>
    /// Waits for the tasks. With a session, the object engine knows the wait, so it detects a cycle through it: the wait that would close
    /// the cycle fails.
    /// </summary>
    private async Task WaitAsync(
        Task satisfied, WaitTasksRequest request, IReadOnlyList<long> ids, TimeSpan? timeout, ServerCallContext context)
    {
        var span = timeout ?? Timeout.InfiniteTimeSpan;
        if (request.SessionId.Length == 0 || satisfied.IsCompleted || timeout == TimeSpan.Zero)
        {
            await satisfied.WaitAsync(span, clock.Provider, context.CancellationToken);
            return;
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        var join = new JoinTasks(
            ids.ToHashSet(), NeedsAll: request.Mode is WaitMode.Unspecified or WaitMode.All)
        { Client = ClientQuota.Of(context).Objects };
        var known = ObjectCall.RunAsync<Done>(objects, join, request.SessionId, over.Token);
        try
        {
            var first = await Task.WhenAny(satisfied, known).WaitAsync(span, clock.Provider, context.CancellationToken);
            await first;
        }
        finally
        {
            await over.CancelAsync();
            await ((Task)known).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Begins a watch; no event that follows reaches the watcher before <paramref name="begin"/> has run.</summary>
    /// <returns>Ids of no known task.</returns>
    private IReadOnlyList<long> Watch(TaskCommand.Watch watch, Action<WatchStart> begin) => host.Apply(watch, effects =>
    {
        begin(effects.WatchStarted!);
        return effects.WatchStarted!.UnknownIds;
    })!;

    private Task SettleAsync(IReadOnlyList<long> ids) =>
        host.Read(view => ids.Any(id => view.Find(id) is { } task && PendingTaskEffects.IsDurable(task)))
            ? host.SettledAsync() : Task.CompletedTask;

    private RpcException Missing(long taskId) => RpcErrors.Create(ErrorReason.NotFound, host.Read(view => view.WhyMissing(taskId)));

    private RawWaitTasksResponse ToResponse(TaskEngineView view, IReadOnlyList<long> ids)
    {
        var response = new RawWaitTasksResponse();
        foreach (var id in ids)
        {
            if (view.Find(id) is not { } task)
                continue;
            if (task.HasEnded)
                response.Done.Add(results.ToResult(task, task.Tag, timing: true));
            else
                response.PendingTaskIds.Add((ulong)id);
        }

        return response;
    }

    private static List<long> ReadIds(Google.Protobuf.Collections.RepeatedField<ulong> ids, string field)
    {
        if (ids.Count == 0)
            throw RpcErrors.Invalid(field, "is empty; name at least one task");
        return [.. ids.Select(id => (long)id).Distinct()];
    }

    private static StreamOptions? ReadOptions(ReceivedBytes request)
    {
        try
        {
            var items = new RepeatedFieldReader<RawStreamTasksRequest>(request, RawTaskView.Field);
            while (items.Next(out _))
            {
            }

            return items.Rest?.Options;
        }
        catch (InvalidDataException exception)
        {
            throw RpcErrors.Invalid("requests", exception.Message);
        }
    }

    private static void Take(TaskStreamSession stream, MessageBuffer request)
    {
        try
        {
            stream.Take(request.Content);
        }
        catch (InvalidDataException exception)
        {
            throw RpcErrors.Invalid("requests", exception.Message);
        }

        request.Clear();
    }

    /// <summary>Bounds the task by the call's deadline.</summary>
    private TaskSubmission WithDeadline(TaskSubmission submission, ServerCallContext context)
    {
        if (context.Deadline == DateTime.MaxValue)
            return submission;
        var left = context.Deadline - clock.Provider.GetUtcNow().UtcDateTime;
        if (left < TimeSpan.Zero)
            left = TimeSpan.Zero;
        return submission.Policy.TotalTimeout is { } total && total <= left
            ? submission
            : submission with { Policy = submission.Policy with { TotalTimeout = left } };
    }

    /// <summary>When the server stops, a stream ends after its last result, not in the middle.</summary>
    private async Task<bool> MoveNextAsync(IAsyncStreamReader<MessageBuffer> requestStream, ServerCallContext context)
    {
        try
        {
            return await requestStream.MoveNext(streams.Stopping);
        }
        catch (Exception exception) when (exception is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled }
            && streams.Stopping.IsCancellationRequested && !context.CancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
