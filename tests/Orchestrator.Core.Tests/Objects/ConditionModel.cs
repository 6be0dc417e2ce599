using Orchestrator.Core.Conditions;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Locks;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Reference model: one lock and its conditions as three lists: holders, lock waiters, condition waiters.</summary>
internal sealed class ConditionModel(LockMode mode) : ISyncModel
{
    private readonly List<Wait> _line = [];
    private readonly List<Wait> _unnotified = [];
    private readonly Dictionary<int, (long Hold, Wait Wait)> _granted = [];
    private (long Session, int Depth, long Hold)? _owner;
    private long _holds;

    public List<(int Request, string Result)> Ended { get; } = [];

    public IEnumerable<int> Waiting => _line.Concat(_unnotified).Select(wait => wait.Number);

    public int Objects =>
        (_owner is not null || _line.Count + _unnotified.Count > 0 ? 1 : 0) + _unnotified.Select(wait => wait.Condition).Distinct().Count();

    public void Apply(int request, long session, ObjectCommand command, long now)
    {
        var deadline = command is WaitingCommand { Timeout: { } timeout } ? now + timeout.Ticks : long.MaxValue;
        var owns = _owner?.Session == session;
        switch (command)
        {
            case AcquireLock:
                var acquire = new Wait(request, session, "", 1, deadline);
                if (_owner is null || (owns && mode == LockMode.Reentrant))
                    Grant(acquire);
                else if (owns && _line.Count > 0)
                    Ended.Add((request, "Deadlock"));
                else
                    _line.Add(acquire);
                break;
            case { } when !owns:
                Ended.Add((request, "NotOwner"));
                break;
            case ReleaseLock:
                Ended.Add((request, $"released {_owner!.Value.Depth - 1}"));
                Release(1);
                break;
            case WaitCondition { Timeout: { Ticks: 0 } }:
                Ended.Add((request, "Timeout"));
                break;
            case WaitCondition wait:
                _unnotified.Add(new Wait(request, session, wait.Condition, _owner!.Value.Depth, deadline));
                Release(_owner.Value.Depth);
                break;
            case NotifyCondition notify:
                var woken = _unnotified.FindAll(wait => wait.Condition == notify.Condition);
                woken = [.. woken.Take(notify.Count == -1 ? woken.Count : Math.Max(1, notify.Count))];
                Ended.Add((request, $"notified {woken.Count}"));
                woken.ForEach(wait => Wake(wait, request));
                break;
        }
    }

    public void Advance(long now)
    {
        while (_line.Where(wait => wait.Condition.Length == 0).Concat(_unnotified).OrderBy(wait => (wait.Deadline, wait.Number))
            .FirstOrDefault() is { } first
            && first.Deadline <= now)
        {
            if (_unnotified.Contains(first))
            {
                Wake(first, null);
            }
            else
            {
                _line.Remove(first);
                Ended.Add((first.Number, "Timeout"));
            }

            Serve();
        }
    }

    public void Abandon(int request) => Leave(Remove(wait => wait.Number == request)[0]);

    public void GiveBack(int request)
    {
        if (!_granted.TryGetValue(request, out var grant))
            return;
        if (_owner is { } owner && owner.Hold == grant.Hold)
            Release(Math.Min(owner.Depth, grant.Wait.Depth));
        PassOn(grant.Wait);
    }

    public void End(long session)
    {
        var left = Remove(wait => wait.Session == session);
        left.ForEach(wait => Ended.Add((wait.Number, "SessionLost")));
        if (_owner?.Session == session)
            Release(_owner.Value.Depth);
        left.ForEach(Leave);
    }

    private List<Wait> Remove(Predicate<Wait> match)
    {
        List<Wait> found = [.. _line.FindAll(match).Concat(_unnotified.FindAll(match)).OrderBy(wait => wait.Number)];
        _line.RemoveAll(found.Contains);
        _unnotified.RemoveAll(found.Contains);
        return found;
    }

    private void Leave(Wait wait)
    {
        Serve();
        PassOn(wait);
    }

    /// <summary>An undelivered notification goes to the next session that was already waiting.</summary>
    private void PassOn(Wait wait)
    {
        if (wait.NotifiedBy is { } by && _unnotified.Find(next => next.Condition == wait.Condition && next.Number < by) is { } next)
            Wake(next, by);
    }

    private void Wake(Wait wait, int? by)
    {
        _unnotified.Remove(wait);
        wait.NotifiedBy = by;
        _line.Add(wait);
        Serve();
    }

    private void Release(int depth)
    {
        var owner = _owner!.Value;
        _owner = owner.Depth > depth ? owner with { Depth = owner.Depth - depth } : null;
        Serve();
    }

    private void Serve()
    {
        while (_owner is null && _line.Count > 0)
        {
            var next = _line[0];
            _line.RemoveAt(0);
            Grant(next);
        }
    }

    private void Grant(Wait wait)
    {
        _owner = _owner is { } owner ? owner with { Depth = owner.Depth + wait.Depth } : (wait.Session, wait.Depth, ++_holds);
        _granted[wait.Number] = (_owner.Value.Hold, wait);
        var status = wait.Condition.Length > 0 && wait.NotifiedBy is null ? "Timeout" : "Ok";
        Ended.Add((wait.Number, wait.Condition.Length > 0 ? status : $"{status} {_owner.Value.Depth}"));
    }

    private sealed record Wait(int Number, long Session, string Condition, int Depth, long Deadline)
    {
        public int? NotifiedBy { get; set; }
    }
}
