using Google.Protobuf;
using Orchestrator.Client.Contract;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Journal;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;
using Orchestrator.Core.Queues;
using Orchestrator.Core.State;
using Payload = Orchestrator.V1.Payload;

namespace Orchestrator.Coordinator.Tests.Journal;

/// <summary>Random commands for durable objects, and the journal records that they produce. The same seed produces the same run.</summary>
internal sealed class DurableRun
{
    private static readonly string[] Queues = ["fifo", "lifo", "priority"];

    private readonly Random _random;
    private readonly ObjectEngine _engine = new(Options);
    private readonly ObjectEffects _effects = new();
    private readonly ObjectChangeMapper _writer = new(new JournalClock(Clock));
    private readonly List<Session> _sessions = [];
    private readonly List<(string Queue, ulong Lease)> _leases = [];
    private readonly List<Wait> _waits = [];
    private readonly List<string> _requests = [];
    private int _number;

    public DurableRun(int seed)
    {
        _random = new Random(seed);
        Apply(new CreateQueue(Spec("fifo", QueueKind.Fifo) with { MaxDeliveries = 2, DeadLetterQueue = "dead" }));
        Apply(new CreateQueue(Spec("lifo", QueueKind.Lifo) with { MaxItems = 5 }));
        Apply(new CreateQueue(
            Spec("priority", QueueKind.Priority) with { MaxItems = 8, Aging = TimeSpan.FromSeconds(1), MaxDeliveries = 3 }));
    }

    public static ObjectEngineOptions Options { get; } = new() { State = new StateOptions { ValueEditor = new JsonEditor() } };

    public static MonotonicClock Clock { get; } = new(TimeProvider.System);

    /// <summary>The journal: one record per step with a change.</summary>
    public List<byte[]> Records { get; } = [];

    /// <summary>The run stops once there are this many records.</summary>
    public int Limit { get; init; } = int.MaxValue;

    public int Steps { get; private set; }

    public TimeSpan Now { get; private set; } = TimeSpan.FromSeconds(1);

    public void Step()
    {
        Steps++;
        Now += TimeSpan.FromMilliseconds(_random.Next(400));
        switch (_random.Next(16))
        {
            case 0:
                Apply(new CreateSession("", _random.Next(2) == 0 ? TimeSpan.FromSeconds(2) : null), created => _sessions.Add(
                    ((CreateSessionOutcome)created).Created));
                break;
            case 1 when _sessions.Count > 0:
                Apply(new CloseSession { Session = Any(_sessions) });
                break;
            case 2:
                if (Records.Count < Limit)
                    _engine.Tick(Now, _effects);
                Leave();
                break;
            case 3 or 4 or 5:
                var queue = Any(Queues);
                Apply(new PutItems(queue, Items())
                {
                    Timeout = _random.Next(2) == 0
                    ? TimeSpan.Zero : TimeSpan.FromSeconds(1),
                    RequestId = RequestFor(queue)
                });
                break;
            case 6 or 7:
                Get();
                break;
            case 8 or 9 when _leases.Count > 0:
                Settle();
                break;
            case 10:
                var finished = Any(Queues);
                Apply(new MarkItemsDone(finished) { RequestId = RequestFor(finished) });
                break;
            case 11 or 12:
                Apply(new UpdateDict("dict", [DictEdit(), DictEdit()], _random.Next(12) == 0) { Durability = Durability.Process });
                break;
            case 13:
                Apply(new UpdateList("list", [ListEdit(), ListEdit()]) { Durability = Durability.Disk });
                break;
            case 14:
                Number();
                break;
            default:
                Rare();
                break;
        }
    }

    /// <summary>Ends all sessions, as a restart does.</summary>
    public void EndSessions()
    {
        // Waits are abandoned first, since a restart serves no earlier waiter. The last wait goes first, so that none is served because
        // another was abandoned.
        for (var i = _waits.Count - 1; i >= 0; i--)
            _engine.AbandonWait(_waits[i], this, Now, _effects);
        foreach (var session in _sessions)
            _engine.Apply(new CloseSession { Session = session }, Now, _effects);
        _effects.Clear();
    }

    public string Digest() => Digest(_engine);

    /// <summary>The visible state of the durable objects, in order, and the responses to repeated requests. Empties the queues.</summary>
    public string Digest(ObjectEngine engine)
    {
        var now = Now;
        var effects = new ObjectEffects();
        engine.Tick(now, effects);
        var lines = new List<string>();
        // Sent to a missing queue, so that only a remembered request gets a successful outcome.
        foreach (var request in _requests)
        {
            foreach (ObjectCommand again in new ObjectCommand[] { new PutItems("none", [new PutItem(Next(), 0)]) { RequestId = request },
                new MarkItemsDone("none") { RequestId = request } })
            {
                effects.Clear();
                engine.Apply(again, now, effects);
                // A request without effect may be executed anew.
                if (effects.Outcomes[0].Outcome is PutOutcome { Accepted: > 0 } or MarkDoneOutcome)
                    lines.Add($"{request}: {effects.Outcomes[0].Outcome}");
            }
        }

        foreach (var info in engine.View.ListQueues("", 10, now))
        {
            lines.Add(
                $"{info.Spec.Name} ready {info.ReadyItems} delayed {info.DelayedItems} unfinished {info.UnfinishedItems} bytes " +
                $"{info.ReadyBytes} shut {info.IsShutDown} dead {info.DeadLettered} dropped {info.Dropped} age {info.OldestAge}");
        }

        foreach (var info in engine.View.ListQueues("", 10, now))
        {
            effects.Clear();
            engine.Apply(new GetItems(info.Spec.Name, 1_000) { Timeout = TimeSpan.Zero }, now, effects);
            var items = ((GetOutcome)effects.Outcomes[0].Outcome).Items.Select(item =>
                $"  {(item.DeadLetter is null ? item.Sequence : item.DeadLetter.Sequence)} p{item.Priority} d{item.Delivery} " +
                $"{((Payload)item.Body.Body).Json.StringValue} {item.DeadLetter?.Queue}");
            // The order in which two items returned in the same instant become dead letters is unspecified.
            lines.AddRange(info.Spec.Name == "dead" ? items.Order(StringComparer.Ordinal) : items);
        }

        lines.AddRange(engine.View.ListState(null, "", 10).Select(info => info.ToString()));
        var dict = (DictPage)engine.View.ReadDict(new DictQuery("dict"), now);
        lines.AddRange(dict.Entries.Select(entry => $"  {entry.Key} {entry.Version} {Text(entry.Value!.Value)}"));
        lines.AddRange(((ListPage)engine.View.ReadList("list", 0, 0)).Values.Select(value => $"  {Text(value)}"));
        lines.Add($"{engine.View.ReadValue("value")}");
        var array = (ArrayPage)engine.View.ReadArray("array", 0, 0);
        lines.Add($"{array.Version}: {string.Join(' ', array.Values)}");
        return string.Join('\n', lines);
    }

    private static string Text(Content content) => JsonFormatter.Default.Format((Payload)content.Body);

    private static QueueSpec Spec(string name, QueueKind kind) => new(name, kind) { Durability = Durability.Process };

    private void Get()
    {
        var queue = Any(Queues);
        var session = _sessions.Count > 0 && _random.Next(3) > 0 ? Any(_sessions) : null;
        var get = new GetItems(queue, _random.Next(1, 4), Leased: session is not null)
        {
            Session = session,
            Lease = session is not null && _random.Next(2) == 0 ? TimeSpan.FromSeconds(1) : null,
            Timeout = _random.Next(3) == 0 ? TimeSpan.FromSeconds(1) : TimeSpan.Zero,
        };
        ObjectDelivery? delivery = null;
        Apply(get, outcome =>
        {
            if (outcome is GetOutcome taken)
                _leases.AddRange(taken.Items.Where(item => item.LeaseId != 0).Select(item => (queue, item.LeaseId)));
        }, found => delivery = found);
        if (delivery is { } granted && _random.Next(4) == 0)
            Apply(new CompensateDelivery(granted));
    }

    private void Settle()
    {
        var index = _random.Next(_leases.Count);
        var (queue, lease) = _leases[index];
        _leases.RemoveAt(index);
        var settlement = (Settlement)_random.Next(1, 4);
        Apply(new SettleItems(queue, [lease], settlement)
        {
            Duration = settlement == Settlement.Return && _random.Next(2) == 0 ? TimeSpan.FromSeconds(1) : null,
        });
    }

    private void Number()
    {
        var edit = new NumberEdit(NumberOperation.Add, Core.State.Number.Of(_random.Next(10)));
        if (_random.Next(2) == 0)
            Apply(new UpdateValue("value", edit) { Durability = Durability.Process });
        else
            Apply(new UpdateArray("array", 4, [new ArrayEdit(_random.Next(4), new NumberEdit(
                NumberOperation.Set, Core.State.Number.Of(_random.Next(3) * 0.5)))])
            { Durability = Durability.Process });
    }

    private void Rare()
    {
        switch (_random.Next(6))
        {
            case 0:
                Apply(new DeleteState(ObjectKind.Dict, "dict"));
                break;
            case 1:
                Apply(new DeleteState(ObjectKind.List, "list"));
                break;
            case 2:
                Apply(new ShutDownQueue("lifo", Immediate: _random.Next(2) == 0));
                break;
            case 3:
                Apply(new DeleteQueue("lifo"));
                Apply(new CreateQueue(Spec("lifo", QueueKind.Lifo) with { MaxItems = 5 }));
                break;
            default:
                Apply(new UpdateDict("memory", [DictEdit()]));
                Apply(new DeleteState(ObjectKind.Dict, "memory"));
                break;
        }
    }

    /// <summary>
    /// Mostly none. Never for the queue that is now and then deleted together with the accepted items of its waiting puts.
    /// </summary>
    private string RequestFor(string queue)
    {
        if (queue == "lifo" || _random.Next(3) > 0)
            return "";
        _requests.Add($"r{_number++}");
        return _requests[^1];
    }

    private PutItem[] Items() => [.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => new PutItem(Next(), _random.Next(3)))];

    private Content Next()
    {
        var payload = Payloads.FromJson($"\"{_number++}\"");
        return new Content(payload, payload.CalculateSize());
    }

    private DictEdit DictEdit()
    {
        var key = $"k{_random.Next(6)}";
        return _random.Next(4) == 0
            ? new DictEdit(DictOperation.Delete, key)
            : new DictEdit(DictOperation.Set, key) { Value = Next(), Ttl = _random.Next(3) == 0 ? TimeSpan.FromSeconds(2) : null };
    }

    private ListEdit ListEdit() => _random.Next(6) switch
    {
        0 => new ListEdit(ListOperation.Pop) { Index = -1 },
        1 => new ListEdit(ListOperation.Insert) { Index = 0, Value = Next() },
        2 => new ListEdit(ListOperation.Reverse),
        3 => new ListEdit(ListOperation.Extend) { Values = [Next(), Next()] },
        4 => new ListEdit(ListOperation.Set) { Index = 0, Value = Next() },
        _ => new ListEdit(ListOperation.Append) { Value = Next() },
    };

    private T Any<T>(IReadOnlyList<T> from) => from[_random.Next(from.Count)];

    private void Apply(ObjectCommand command, Action<ObjectOutcome>? onOutcome = null, Action<ObjectDelivery>? onDelivery = null)
    {
        if (Records.Count >= Limit)
            return;
        command.Caller = this;
        if (_engine.Apply(command, Now, _effects) is { } wait)
            _waits.Add(wait);
        var own = _effects.Outcomes.FindIndex(delivery => ReferenceEquals(delivery.Granted, command));
        if (own >= 0)
        {
            onOutcome?.Invoke(_effects.Outcomes[own].Outcome);
            onDelivery?.Invoke(_effects.Outcomes[own]);
        }

        Leave();
    }

    private void Leave()
    {
        if (_effects.Changes.Count > 0)
        {
            var record = new Coordinator.Journal.Wire.Record();
            foreach (var change in _effects.Changes)
            {
                if (_writer.ToWire(change) is { } wire)
                    record.Changes.Add(wire);
            }

            Records.Add(record.ToByteArray());
        }

        _effects.Clear();
    }
}
