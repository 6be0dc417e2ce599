using Orchestrator.Core.Barriers;
using Orchestrator.Core.Events;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Latches;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Reference model of events, barriers and latches: sessions wait until others have arrived.</summary>
internal sealed class MeetingModel : ISyncModel
{
    private readonly List<Wait> _waits = [];
    private readonly HashSet<string> _set = [];
    private readonly Dictionary<string, (int Parties, long Generation, bool Broken)> _barriers = [];
    private readonly Dictionary<string, (long Count, long Left)> _latches = [];

    public List<(int Request, string Result)> Ended { get; } = [];

    public IEnumerable<int> Waiting => _waits.Select(wait => wait.Number);

    public int Objects =>
        _set.Union(_waits.Where(wait => wait.Kind == 'e').Select(wait => wait.Name)).Count() + _barriers.Count + _latches.Count;

    public void Apply(int request, long session, ObjectCommand command, long now)
    {
        var kind = command switch { WaitEvent => 'e', WaitBarrier => 'b', _ => 'l' };
        var wait = command is WaitingCommand waiting
            ? new Wait(request, session, kind, Name(command), waiting.Timeout is { } timeout ? now + timeout.Ticks
            : long.MaxValue, waiting.Timeout == TimeSpan.Zero)
            : null;
        switch (command)
        {
            case SetEvent set:
                Ended.Add((request, $"was {_set.Contains(set.Event)}"));
                _ = set.Set ? _set.Add(set.Event) : _set.Remove(set.Event);
                if (set.Set)
                    Take('e', set.Event).ForEach(each => Ended.Add((each.Number, "Ok")));
                break;
            case WaitEvent when _set.Contains(wait!.Name):
                Ended.Add((request, "Ok"));
                break;
            case WaitBarrier barrier:
                Meet(wait!, barrier.Parties);
                return;
            case ControlBarrier control:
                var answer = Control(control);
                Ended.Insert(0, (request, answer));
                break;
            case WaitLatch latch:
                _latches.TryAdd(latch.Latch, (latch.Count, latch.Count));
                if (_latches[latch.Latch].Left == 0)
                    Ended.Add((request, "Ok 0"));
                else if (latch.Timeout == TimeSpan.Zero)
                    Ended.Add((request, $"Timeout {_latches[latch.Latch].Left}"));
                else
                    _waits.Add(wait!);
                break;
            case CountDownLatch down:
                CountDown(request, down);
                break;
            case WaitingCommand { Timeout: { Ticks: 0 } }:
                Ended.Add((request, "Timeout"));
                break;
            default:
                _waits.Add(wait!);
                break;
        }
    }

    public void Advance(long now)
    {
        while (_waits.OrderBy(wait => (wait.Deadline, wait.Number)).FirstOrDefault() is { } first && first.Deadline <= now)
        {
            _waits.Remove(first);
            Ended.Add((first.Number, first.Kind == 'l' ? $"Timeout {_latches[first.Name].Left}" : "Timeout"));
            Leave(first);
        }
    }

    public void Abandon(int request)
    {
        var wait = _waits.Single(wait => wait.Number == request);
        _waits.Remove(wait);
        Leave(wait);
    }

    /// <summary>These objects have no holders.</summary>
    public void GiveBack(int request)
    {
    }

    public void End(long session)
    {
        var left = _waits.FindAll(wait => wait.Session == session);
        _waits.RemoveAll(left.Contains);
        left.ForEach(wait => Ended.Add((wait.Number, "SessionLost")));
        left.ForEach(Leave);
    }

    private static string Name(ObjectCommand command) => command switch
    {
        WaitEvent wait => wait.Event,
        WaitBarrier wait => wait.Barrier,
        WaitLatch wait => wait.Latch,
        _ => "",
    };

    private void Meet(Wait wait, int parties)
    {
        _barriers.TryAdd(wait.Name, (parties, 0, false));
        var (_, generation, broken) = _barriers[wait.Name];
        if (broken)
        {
            Ended.Add((wait.Number, "BrokenBarrier"));
        }
        else if (_waits.Count(other => (other.Kind, other.Name) == ('b', wait.Name)) == parties - 1)
        {
            Ended.Add((wait.Number, $"Ok {parties - 1} of {generation}"));
            var index = 0;
            Take('b', wait.Name).ForEach(other => Ended.Add((other.Number, $"Ok {index++} of {generation}")));
            _barriers[wait.Name] = (parties, generation + 1, false);
        }
        else if (wait.IsTry)
        {
            Ended.Add((wait.Number, "Timeout"));
            Leave(wait);
        }
        else
        {
            _waits.Add(wait);
        }
    }

    private string Control(ControlBarrier control)
    {
        if (!_barriers.TryGetValue(control.Barrier, out var barrier))
            return "NotFound";
        var waiting = Break(control.Barrier);
        _barriers[control.Barrier] = barrier with { Broken = control.Action == BarrierAction.Abort };
        return $"waited {waiting}";
    }

    private void CountDown(int request, CountDownLatch down)
    {
        var (count, left) = _latches.GetValueOrDefault(down.Latch, (down.Count, down.Count));
        if (left < down.By)
        {
            Ended.Add((request, "OverReleased"));
            return;
        }

        _latches[down.Latch] = (count, left -= down.By);
        Ended.Add((request, $"left {left}"));
        if (left == 0)
            Take('l', down.Latch).ForEach(wait => Ended.Add((wait.Number, "Ok 0")));
    }

    private void Leave(Wait wait)
    {
        if (wait.Kind != 'b')
            return;
        Break(wait.Name);
        _barriers[wait.Name] = _barriers[wait.Name] with { Broken = true };
    }

    private int Break(string barrier)
    {
        var waits = Take('b', barrier);
        waits.ForEach(wait => Ended.Add((wait.Number, "BrokenBarrier")));
        return waits.Count;
    }

    private List<Wait> Take(char kind, string name)
    {
        var waits = _waits.FindAll(wait => wait.Kind == kind && wait.Name == name);
        _waits.RemoveAll(waits.Contains);
        return waits;
    }

    private sealed record Wait(int Number, long Session, char Kind, string Name, long Deadline, bool IsTry);
}
