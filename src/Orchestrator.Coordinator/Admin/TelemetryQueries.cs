using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Telemetry;
using Orchestrator.Core.Kernel;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Admin;

/// <summary>Answers what operators ask about the past minutes and about sessions.</summary>
internal sealed class TelemetryQueries(TaskEngineHost host, ObjectEngineHost objects, SeriesStore series, MonotonicClock clock)
{
    private static readonly TimeSpan Kept = TimeSpan.FromSeconds(SeriesStore.Capacity);
    private static readonly TimeSpan MinStep = TimeSpan.FromSeconds(1);

    // The engine's lock is held while they are copied.
    private static readonly TimeSpan MaxLanes = TimeSpan.FromMinutes(2);

    /// <summary>Figures, lanes and spans of a period.</summary>
    /// <exception cref="RpcException">INVALID: the period or the step.</exception>
    public GetHistoryResponse GetHistory(GetHistoryRequest request)
    {
        var now = clock.Now;
        var to = ProtoTime.ToInstant(request.To, "to") is { } last ? ToEngine(last, now) : now;
        var from = ProtoTime.ToInstant(request.From, "from") is { } first ? ToEngine(first, now) : to - Kept;
        var step = ProtoTime.ToWait(request.Step) ?? MinStep;
        if (step < MinStep)
            throw RpcErrors.Invalid("step", $"{step.TotalSeconds} s is shorter than {MinStep.TotalSeconds} s, from one figure to the next");
        if (from > to)
            throw RpcErrors.Invalid("from", $"{request.From} is after the end of the period, {request.To}");
        // Earlier figures are not kept.
        from = series.Align(from < now - Kept ? now - Kept : from);
        // The newest sample lies before the last instant.
        to = to > now ? now + MinStep : to;
        var count = from > to ? 0 : (int)((to - from) / step) + 1;
        var response = new GetHistoryResponse { From = ToTimestamp(from), Step = Duration.FromTimeSpan(step) };
        foreach (var (name, unit, values) in series.Read(from, step, count, Wanted(request.Series)))
            response.Series.Add(new Series { Name = name, Unit = unit, Values = { values } });
        if (request.Lanes)
        {
            var begin = from < to - MaxLanes ? to - MaxLanes : from;
            response.Lanes = host.Read(
                view => SpanMapper.ToHistory(view.Spans.History.Read(begin, to + MinStep), view.Spans.Names, clock));
        }

        if (request.Spans)
        {
            var (spans, names) = host.Read(view => (view.Spans.Log.ReadPeriod(from, to), view.Spans.Names));
            response.Spans = SpanMapper.ToBlock(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(spans), clock);
            host.Read(_ =>
            {
                response.Spans.Lanes.AddRange(response.Spans.Lane.Distinct().Select(lane => names.FindLane((int)lane))
                    .OfType<Core.Spans.SpanLane>().Select(SpanMapper.ToMessage));
                response.Spans.Handlers.AddRange(
                    response.Spans.Handler.Distinct().Select(handler => SpanMapper.ToMessage((int)handler, names)));
                return 0;
            });
        }

        return response;
    }

    /// <summary>A page of the open sessions.</summary>
    public ListSessionsResponse ListSessions(ListSessionsRequest request)
    {
        var size = PayloadMapper.PageSize(request.PageSize);
        var (ofTasks, after) = ReadToken(request.PageToken);
        return objects.Read((view, _) =>
        {
            var rest = view.Sessions
                .Where(session => session.Task is not null == ofTasks ? session.Number > after : !ofTasks)
                .OrderBy(session => session.Task is not null)
                .ThenBy(session => session.Number)
                .Take(size + 1)
                .ToArray();
            var response = new ListSessionsResponse { Total = view.SessionCount };
            response.Sessions.AddRange(rest.Take(size).Select(ToMessage));
            if (rest.Length > size)
                response.NextPageToken = $"{(rest[size - 1].Task is null ? 'c' : 't')}{rest[size - 1].Number}";
            return response;
        });
    }

    private static (bool OfTasks, long After) ReadToken(string token) => token switch
    {
        "" => (false, -1),
        ['c' or 't', .. var number] when long.TryParse(number, out var after) => (token[0] == 't', after),
        _ => throw RpcErrors.Invalid("page_token", $"\"{token}\" is no page token of this call"),
    };

    private static SessionSummary ToMessage(Session session) => new()
    {
        Alias = session.Alias,
        DisplayName = session.DisplayName,
        Client = session.ClientName,
        TaskId = (ulong)(session.Task?.TaskId ?? 0),
        Attempt = session.Task?.Attempt ?? 0,
        Worker = session.Task?.Worker ?? "",
        Holds = session.HoldCount,
        Waits = session.WaitCount,
        Ttl = ProtoTime.ToDuration(session.Ttl),
        Implicit = session.IsImplicit,
    };

    private static Func<string, bool> Wanted(Google.Protobuf.Collections.RepeatedField<string> names)
    {
        if (names.Count == 0)
            return static name => !name.Contains('/', StringComparison.Ordinal);
        var whole = names.Where(name => !name.EndsWith('*')).ToHashSet(StringComparer.Ordinal);
        var prefixes = names.Where(name => name.EndsWith('*')).Select(name => name[..^1]).ToArray();
        return name => whole.Contains(name) || prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));
    }

    private Timestamp ToTimestamp(TimeSpan time) => Timestamp.FromDateTimeOffset(clock.ToWallClock(time.Ticks));

    // As far back as the figures reach, a pause of the process is a gap of the figures, too.
    private TimeSpan ToEngine(DateTimeOffset time, TimeSpan now) => now - (clock.ToWallClock(now.Ticks) - time);
}
