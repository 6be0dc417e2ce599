using Orchestrator.Core.Locks;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>
/// Reference model of locks: plain lists that are searched anew at each step. A wait is a deadlock if it would not be served even though
/// every other flow releases all its holds as soon as it waits for nothing.
/// </summary>
internal sealed class LockModel
{
    private readonly Dictionary<string, LockState> _locks = [];

    /// <summary>How each request ended since the last read, in order: its number and its result.</summary>
    public List<(int Request, string Result)> Ended { get; private init; } = [];

    public void Acquire(int number, Party party, string name, LockMode mode, long deadline, bool wait)
    {
        var state = Open(name);
        var request = new Request(number, party, mode, deadline);
        var joins = mode == LockMode.Reentrant && state.Holders.Exists(hold => hold.Party.Session == party.Session);
        if (joins || (state.Line.Count == 0 && state.Allows(party.Session, mode)))
        {
            Grant(state, request);
            return;
        }

        if (!wait)
        {
            Ended.Add((number, "timeout"));
            return;
        }

        var own = mode == LockMode.Reentrant ? state.Line.FindLastIndex(other => other.Party.Session == party.Session) : -1;
        state.Line.Insert(own < 0 ? state.Line.Count : own + 1, request);
        if (ServesInTheEnd(request))
            return;
        Remove(number);
        Ended.Add((number, "deadlock"));
    }

    public string Release(int session, string name)
    {
        var state = Open(name);
        var hold = state.Holders.Find(hold => hold.Party.Session == session);
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
            Open(name).Holders.RemoveAll(hold => hold.Party.Session == session);
            Serve(Open(name));
        }

        left.ForEach(Serve);
    }

    public IEnumerable<Request> Waiting => _locks.Values.SelectMany(state => state.Line);

    public int InUse => _locks.Values.Count(state => state.Holders.Count > 0 || state.Line.Count > 0);

    /// <summary>Who holds the lock, as session and depth.</summary>
    public IEnumerable<(int Session, int Depth)> HoldersOf(string name) =>
        Open(name).Holders.Select(hold => (hold.Party.Session, hold.Depth));

    /// <summary>
    /// A flow finishes when each wait that may be its own can be served; a wait can be served when all that block it finish. Its own
    /// session's holds do not block it, unless both name their flows.
    /// </summary>
    private bool ServesInTheEnd(Request request)
    {
        var flows = _locks.Values.SelectMany(
            state => state.Holders.Select(hold => hold.Party).Concat(state.Line.Select(wait => wait.Party))).Distinct().ToList();
        var done = new HashSet<Party>();
        while (flows.Find(flow => !done.Contains(flow) && !flow.MayBe(request.Party)
            && Waiting.All(wait => !wait.Party.MayBe(flow) || CanBeServed(wait))) is { } next)
            done.Add(next);
        return CanBeServed(request);

        bool CanBeServed(Request wait)
        {
            var state = _locks.Values.Single(state => state.Line.Contains(wait));
            var others = state.Holders.Where(hold => !(wait.Mode == LockMode.Reentrant && hold.Party.Session == wait.Party.Session))
                .Select(hold => (hold.Party, hold.Mode))
                .Concat(state.Line.TakeWhile(ahead => ahead != wait)
                    .Where(ahead => !(wait.Mode == LockMode.Reentrant && ahead.Party.Session == wait.Party.Session))
                    .Select(ahead => (ahead.Party, ahead.Mode)));
            return others.All(other => (wait.Mode == LockMode.Read && other.Mode == LockMode.Read) || done.Contains(other.Party)
                || (other.Party.Session == wait.Party.Session && (other.Party.Flow.Length == 0 || wait.Party.Flow.Length == 0)));
        }
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
        while (state.Line.Count > 0 && state.Allows(state.Line[0].Party.Session, state.Line[0].Mode))
        {
            var next = state.Line[0];
            state.Line.RemoveAt(0);
            Grant(state, next);
        }
    }

    private void Grant(LockState state, Request request)
    {
        if (state.Holders.Find(hold => hold.Party.Session == request.Party.Session) is { } own)
        {
            own.Depth++;
            own.Party = own.Party == request.Party ? own.Party : own.Party with { Flow = "" };
        }
        else
        {
            state.Holders.Add(new Hold(request.Mode) { Party = request.Party });
        }

        Ended.Add((request.Number, "ok"));
    }

    public sealed record Party(int Session, string Flow)
    {
        public bool MayBe(Party other) => Session == other.Session && (Flow.Length == 0 || other.Flow.Length == 0 || Flow == other.Flow);
    }

    public sealed record Request(int Number, Party Party, LockMode Mode, long Deadline);

    private sealed class Hold(LockMode mode)
    {
        public required Party Party { get; set; }

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
            LockMode.Reentrant => Holders.TrueForAll(hold => hold.Party.Session == session),
            _ => Holders.Count == 0,
        };
    }
}
