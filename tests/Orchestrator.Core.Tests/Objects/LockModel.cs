using Orchestrator.Core.Sync;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>
/// The promises of locks in their plainest words: lists that are searched anew at each question. A wait is a deadlock if it is not served though
/// every other session, as soon as it waits for nothing, gives back all that it holds.
/// </summary>
internal sealed class LockModel
{
    private readonly Dictionary<string, LockState> _locks = [];

    /// <summary>How each request ended since the last question, in order: its number, and what it got.</summary>
    public List<(int Request, string Result)> Ended { get; private init; } = [];

    public void Acquire(int request, int session, string name, LockMode mode, long deadline, bool wait)
    {
        var state = Open(name);
        var joins = mode == LockMode.Reentrant && state.Holders.Exists(hold => hold.Session == session);
        if (joins || (state.Line.Count == 0 && state.Allows(session, mode)))
        {
            Grant(state, new Request(request, session, mode, deadline));
            return;
        }

        if (!wait)
        {
            Ended.Add((request, "timeout"));
            return;
        }

        var own = mode == LockMode.Reentrant ? state.Line.FindLastIndex(other => other.Session == session) : -1;
        state.Line.Insert(own < 0 ? state.Line.Count : own + 1, new Request(request, session, mode, deadline));
        if (Copy().ServesInTheEnd(request, session))
            return;
        Remove(request);
        Ended.Add((request, "deadlock"));
    }

    public string Release(int session, string name)
    {
        var state = Open(name);
        var hold = state.Holders.Find(hold => hold.Session == session);
        if (hold is null)
            return "not owner";
        if (--hold.Depth == 0)
            state.Holders.Remove(hold);
        Serve(state);
        return $"{hold.Depth}";
    }

    public void Abandon(int request)
    {
        var state = Remove(request);
        Serve(state);
    }

    public void TimeOut(long now)
    {
        while (Waiting.OrderBy(wait => wait.Deadline).ThenBy(wait => wait.Number).FirstOrDefault() is { } first && first.Deadline <= now)
        {
            Ended.Add((first.Number, "timeout"));
            Abandon(first.Number);
        }
    }

    public void End(int session, IReadOnlyList<int> itsWaits, IReadOnlyList<string> itsLocks)
    {
        var left = new List<LockState>();
        foreach (var request in itsWaits)
        {
            left.Add(Remove(request));
            Ended.Add((request, "session lost"));
        }

        foreach (var name in itsLocks)
        {
            Open(name).Holders.RemoveAll(hold => hold.Session == session);
            Serve(Open(name));
        }

        left.ForEach(Serve);
    }

    public IEnumerable<Request> Waiting => _locks.Values.SelectMany(state => state.Line);

    public int InUse => _locks.Values.Count(state => state.Holders.Count > 0 || state.Line.Count > 0);

    /// <summary>Who holds the lock, as session and depth.</summary>
    public IEnumerable<(int Session, int Depth)> HoldersOf(string name) => Open(name).Holders.Select(hold => (hold.Session, hold.Depth));

    private bool ServesInTheEnd(int request, int session)
    {
        while (Waiting.Any(wait => wait.Number == request))
        {
            var holders = _locks.Values.SelectMany(state => state.Holders).Select(hold => hold.Session);
            var done = holders.Where(holder => holder != session && Waiting.All(wait => wait.Session != holder)).Distinct().ToArray();
            if (done.Length == 0)
                return false;
            foreach (var state in _locks.Values)
            {
                state.Holders.RemoveAll(hold => done.Contains(hold.Session));
                Serve(state);
            }
        }

        return true;
    }

    private LockState Open(string name)
    {
        if (!_locks.TryGetValue(name, out var state))
            _locks.Add(name, state = new LockState());
        return state;
    }

    private LockState Remove(int request)
    {
        var state = _locks.Values.Single(state => state.Line.Exists(wait => wait.Number == request));
        state.Line.RemoveAll(wait => wait.Number == request);
        return state;
    }

    private void Serve(LockState state)
    {
        while (state.Line.Count > 0 && state.Allows(state.Line[0].Session, state.Line[0].Mode))
        {
            var next = state.Line[0];
            state.Line.RemoveAt(0);
            Grant(state, next);
        }
    }

    private void Grant(LockState state, Request request)
    {
        if (state.Holders.Find(hold => hold.Session == request.Session) is { } own)
            own.Depth++;
        else
            state.Holders.Add(new Hold(request.Session, request.Mode));
        Ended.Add((request.Number, "ok"));
    }

    private LockModel Copy()
    {
        var copy = new LockModel();
        foreach (var (name, state) in _locks)
            copy._locks.Add(name, new LockState { Holders = [.. state.Holders.Select(hold => new Hold(hold.Session, hold.Mode))], Line = [.. state.Line] });
        return copy;
    }

    public sealed record Request(int Number, int Session, LockMode Mode, long Deadline);

    private sealed class Hold(int session, LockMode mode)
    {
        public int Session => session;

        public LockMode Mode => mode;

        public int Depth { get; set; } = 1;
    }

    private sealed class LockState
    {
        public List<Hold> Holders { get; init; } = [];

        public List<Request> Line { get; init; } = [];

        public bool Allows(int session, LockMode mode) => mode switch
        {
            LockMode.Read => Holders.TrueForAll(hold => hold.Mode == LockMode.Read),
            LockMode.Reentrant => Holders.TrueForAll(hold => hold.Session == session),
            _ => Holders.Count == 0,
        };
    }
}
