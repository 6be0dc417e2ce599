using Google.Protobuf.WellKnownTypes;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.TaskModel;
using Orchestrator.V1;
using TaskState = Orchestrator.V1.TaskState;

namespace Orchestrator.Coordinator.Services;

/// <summary>Which tasks a list is to show: those that match every given condition.</summary>
internal sealed class TaskFilter
{
    private readonly HashSet<TaskState> _states;
    private readonly ListTasksRequest _request;
    private readonly MonotonicClock _clock;
    private readonly long _minTicks;
    private readonly DateTimeOffset _since;
    private readonly DateTimeOffset _until;

    /// <exception cref="Grpc.Core.RpcException">INVALID: a condition that no task can meet.</exception>
    public TaskFilter(ListTasksRequest request, MonotonicClock clock)
    {
        _request = request;
        _clock = clock;
        _states = [.. request.States];
        _minTicks = (ProtoTime.ToWait(request.MinDuration) ?? TimeSpan.Zero).Ticks;
        if (_minTicks < 0)
            throw RpcErrors.Invalid("min_duration", $"{request.MinDuration} is negative");
        _since = ProtoTime.ToInstant(request.Since, "since") ?? DateTimeOffset.MinValue;
        _until = ProtoTime.ToInstant(request.Until, "until") ?? DateTimeOffset.MaxValue;
        if (_since > _until)
            throw RpcErrors.Invalid("since", $"{request.Since} is after {request.Until}, which until names");
    }

    /// <summary>Whether only running tasks match.</summary>
    public bool OnlyRunning => _states.Count == 1 && _states.Contains(TaskState.Running);

    /// <summary>Whether only tasks match that have not ended.</summary>
    public bool OnlyUnfinished => _states.Count > 0 && _states.All(state => state is TaskState.Queued or TaskState.Running);

    /// <summary>Whether there is no other condition than states and handler.</summary>
    public bool IsPlain => _request is { Labels.Count: 0, Worker: "", Client: "", Text: "", MinDuration: null, Since: null, Until: null };

    public string Handler => _request.Handler;

    public bool Includes(TaskState state) => _states.Count == 0 || _states.Contains(state);

    /// <summary>Whether it and all tasks before it were accepted too early.</summary>
    public bool IsTooOld(TaskRecord task) => _request.Since is not null && _clock.ToWallClock(task.AcceptedAt) < _since;

    /// <summary>Whether a task of the engine matches. To be used under the engine's lock.</summary>
    public bool Matches(TaskRecord task)
    {
        if (!Includes((TaskState)(int)task.State) || (Handler.Length > 0 && Handler != task.Handler.Name))
            return false;
        if (IsPlain)
            return true;
        return MatchesWorker(task.WorkerName)
            && (_request.Client.Length == 0 || _request.Client == task.ClientName)
            && (task.HasEnded ? task.EndedAt : _clock.Now.Ticks) - task.AcceptedAt >= _minTicks
            && MatchesTime(_clock.ToWallClock(task.AcceptedAt))
            && MatchesLabels(LabelsOf(task.Policy))
            && MatchesText(task.Handler.Name, LabelsOf(task.Policy), task.Failure?.Message ?? "", task.RequestId);
    }

    /// <summary>Whether an ended task of the history matches.</summary>
    public bool Matches(TaskInfo task)
    {
        if (!Includes(task.State) || (Handler.Length > 0 && Handler != task.Handler))
            return false;
        if (IsPlain)
            return true;
        var labels = task.Options?.Labels ?? [];
        return MatchesWorker(task.Result?.Worker ?? "")
            && _request.Client.Length == 0
            && DurationOf(task).Ticks >= _minTicks
            && MatchesTime(task.AcceptedAt?.ToDateTimeOffset() ?? DateTimeOffset.MinValue)
            && MatchesLabels(labels)
            && MatchesText(task.Handler, labels, task.Result?.Error?.Message ?? "", "");
    }

    private static IReadOnlyCollection<KeyValuePair<string, string>> LabelsOf(TaskPolicy policy) =>
        (IReadOnlyCollection<KeyValuePair<string, string>>?)policy.Labels ?? [];

    private static TimeSpan DurationOf(TaskInfo task)
    {
        var timing = task.Result?.Timing;
        return new[] { timing?.Queued, timing?.Dispatch, timing?.Run, timing?.Reply }.Aggregate(
            TimeSpan.Zero, (sum, part) => sum + (part?.ToTimeSpan() ?? TimeSpan.Zero));
    }

    private bool MatchesWorker(string worker) =>
        _request.Worker.Length == 0
        || worker == _request.Worker
        || (worker.StartsWith(_request.Worker, StringComparison.Ordinal) && worker[_request.Worker.Length] == '#');

    private bool MatchesTime(DateTimeOffset acceptedAt) => acceptedAt >= _since && acceptedAt < _until;

    private bool MatchesLabels(IReadOnlyCollection<KeyValuePair<string, string>> labels) =>
        _request.Labels.All(wanted => labels.Contains(wanted));

    private bool MatchesText(string handler, IReadOnlyCollection<KeyValuePair<string, string>> labels, string error, string requestId)
    {
        return _request.Text.Length == 0 || Has(handler) || Has(error) || Has(requestId)
            || labels.Any(label => Has(label.Key) || Has(label.Value));

        bool Has(string text) => text.Contains(_request.Text, StringComparison.OrdinalIgnoreCase);
    }
}
