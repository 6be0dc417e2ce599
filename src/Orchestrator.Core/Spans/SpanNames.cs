using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Spans;

/// <summary>
/// The numbers that stand for lanes and handlers in spans and in the history of lanes. Numbers are given in the order of first use and are
/// never used again.
/// </summary>
public sealed class SpanNames
{
    /// <summary>The number of every handler beyond those that are told apart.</summary>
    public const int OtherHandlers = 0;

    // More incarnations of workers than 15 minutes of a page show; beyond it the names of the oldest are forgotten.
    private const int MaxLanes = 4_096;

    private readonly Dictionary<int, SpanLane> _lanes = [];
    private readonly Queue<int> _laneOrder = new();
    private readonly List<string> _handlers = ["_other"];
    private readonly Dictionary<string, ushort> _handlerNumbers = [];

    /// <summary>The number of the newest lane.</summary>
    public int LastLane { get; private set; }

    /// <summary>The number of the newest handler.</summary>
    public int LastHandler => _handlers.Count - 1;

    /// <summary>The lane with a number; null if it is unknown or forgotten.</summary>
    public SpanLane? FindLane(int number) => _lanes.GetValueOrDefault(number);

    /// <summary>The name of the handler with a number.</summary>
    public string HandlerName(int number) => _handlers[number];

    /// <summary>The lanes of a worker, by kind of work; one for all kinds in process.</summary>
    internal LaneTrack[] TracksOf(WorkerNode worker) => (LaneTrack[]?)worker.Tracks ?? AddTracks(worker);

    /// <summary>The number of a handler.</summary>
    internal ushort NumberOf(HandlerProfile handler)
    {
        if (handler.SpanNumber is { } number)
            return number;
        // A handler that is offered again after its last worker had left has its number again.
        if (!_handlerNumbers.TryGetValue(handler.Name, out number) && _handlers.Count <= ushort.MaxValue)
        {
            number = (ushort)_handlers.Count;
            _handlers.Add(handler.Name);
            _handlerNumbers.Add(handler.Name, number);
        }

        handler.SpanNumber = number;
        return number;
    }

    private LaneTrack[] AddTracks(WorkerNode worker)
    {
        var tracks = new LaneTrack[worker.Lanes.Length];
        for (var kind = 0; kind < tracks.Length; kind++)
        {
            tracks[kind] = new LaneTrack(++LastLane);
            _lanes.Add(LastLane, new SpanLane(LastLane, worker.Name, worker.Description.Placement, (WorkKind)kind));
            _laneOrder.Enqueue(LastLane);
        }

        while (_laneOrder.Count > MaxLanes)
            _lanes.Remove(_laneOrder.Dequeue());
        worker.Tracks = tracks;
        return tracks;
    }
}
