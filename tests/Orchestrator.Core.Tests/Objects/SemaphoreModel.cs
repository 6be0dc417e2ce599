using Orchestrator.Core.Kernel;
using Orchestrator.Core.Semaphores;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Reference model of semaphores: plain lists that are searched anew at each step.</summary>
internal sealed class SemaphoreModel : ISyncModel
{
    private readonly Dictionary<string, Pool> _pools = [];
    private readonly Dictionary<int, (string Name, long Session, int Permits)> _granted = [];

    public List<(int Request, string Result)> Ended { get; } = [];

    public IEnumerable<int> Waiting => _pools.Values.SelectMany(pool => pool.Line).Select(wait => wait.Number);

    public int Objects => _pools.Count;

    public IEnumerable<(string Name, long Session, int Permits)> Holds =>
        _pools.Values.SelectMany(pool => pool.Holds.Select(hold => (pool.Name, hold.Session, hold.Permits)));

    public void Apply(int request, long session, ObjectCommand command, long now)
    {
        if (command is AcquireSemaphore acquire)
            Acquire(request, session, acquire, now);
        else
            Ended.Insert(0, (request, Release(session, (ReleaseSemaphore)command)));
    }

    public void Advance(long now)
    {
        while (_pools.Values.SelectMany(pool => pool.Line).OrderBy(wait => (wait.Deadline, wait.Number)).FirstOrDefault() is { } first
            && first.Deadline <= now)
        {
            Ended.Add((first.Number, $"Timeout {_pools[first.Name].Available}"));
            Abandon(first.Number);
        }
    }

    public void Abandon(int request)
    {
        var pool = _pools.Values.Single(pool => pool.Line.RemoveAll(wait => wait.Number == request) > 0);
        Serve(pool);
    }

    public void GiveBack(int request)
    {
        if (!_granted.TryGetValue(request, out var grant) || !_pools.TryGetValue(grant.Name, out var pool))
            return;
        pool.Available += pool.TakeFrom(grant.Session, grant.Permits);
        Serve(pool);
    }

    public void End(long session)
    {
        var left = new List<Pool>();
        foreach (var wait in _pools.Values.SelectMany(pool => pool.Line).Where(wait => wait.Session == session).OrderBy(wait => wait.Number)
            .ToArray())
        {
            _pools[wait.Name].Line.Remove(wait);
            left.Add(_pools[wait.Name]);
            Ended.Add((wait.Number, "SessionLost"));
        }

        foreach (var hold in _pools.Values.SelectMany(pool => pool.Holds).Where(hold => hold.Session == session).OrderBy(hold => hold.Grant)
            .ToArray())
            Return(_pools[hold.Name], hold);
        // The semaphores where it only waited are served last.
        left.ForEach(Serve);
    }

    private void Acquire(int request, long session, AcquireSemaphore command, long now)
    {
        if (!_pools.TryGetValue(command.Semaphore, out var pool))
        {
            if (command.InitialPermits is not { } initial)
            {
                Ended.Add((request, "NotFound"));
                return;
            }

            pool = new Pool(command.Semaphore, initial, command.Bounded);
        }

        if (pool.Bounded && command.Permits > pool.Initial)
        {
            Ended.Add((request, "Invalid"));
            return;
        }

        _pools[command.Semaphore] = pool;
        var wait = new Wait(
            request, session, pool.Name, command.Permits, command.Timeout is { } timeout ? now + timeout.Ticks : long.MaxValue);
        if (pool.Line.Count == 0 && pool.Available >= command.Permits)
        {
            Grant(pool, wait);
        }
        else if (command.Timeout == TimeSpan.Zero)
        {
            Ended.Add((request, $"Timeout {pool.Available}"));
        }
        else
        {
            pool.Line.Add(wait);
            if (!IsServedInTheEnd(wait))
            {
                pool.Line.Remove(wait);
                Ended.Add((request, "Deadlock"));
            }
        }

        Forget(pool);
    }

    private string Release(long session, ReleaseSemaphore command)
    {
        if (!_pools.TryGetValue(command.Semaphore, out var pool))
            return "NotFound";
        if (pool.Bounded && pool.Available + command.Permits > pool.Initial)
            return "OverReleased";
        for (var i = 0; i < command.Permits; i++)
        {
            if (pool.TakeFrom(session, 1) == 0)
            {
                pool.ReleasedByAnother = true;
                if (pool.Bounded)
                    pool.TakeFrom(pool.Holds.MinBy(hold => hold.Grant)!.Session, 1);
            }

            pool.Available++;
        }

        Serve(pool);
        return $"released {pool.Available}";
    }

    /// <summary>An ended session's permits are returned; signals that it took are not.</summary>
    private void Return(Pool pool, Hold hold)
    {
        pool.Holds.Remove(hold);
        for (var i = 0; i < hold.Permits && (pool.Bounded || pool.Available < pool.Initial); i++)
            pool.Available++;
        Serve(pool);
    }

    private void Serve(Pool pool)
    {
        while (pool.Line.Count > 0 && pool.Line[0].Permits <= pool.Available)
        {
            var next = pool.Line[0];
            pool.Line.RemoveAt(0);
            Grant(pool, next);
        }

        Forget(pool);
    }

    private void Grant(Pool pool, Wait wait)
    {
        pool.Give(wait.Session, wait.Permits);
        _granted[wait.Number] = (pool.Name, wait.Session, wait.Permits);
        Ended.Add((wait.Number, $"Ok {pool.Available}"));
    }

    private void Forget(Pool pool)
    {
        if (pool is { Line.Count: 0, Holds.Count: 0 } && pool.Available == pool.Initial && (pool.Bounded || pool.Initial > 0))
            _pools.Remove(pool.Name);
    }

    /// <summary>
    /// A session finishes when each of its waits can be served: when the free permits, those of sessions that finish, and its own are
    /// enough for it and for all unfinished waiters ahead of it. A wait that an outsider may serve counts as served.
    /// </summary>
    private bool IsServedInTheEnd(Wait wait)
    {
        var waits = _pools.Values.SelectMany(pool => pool.Line).ToList();
        var done = new HashSet<long>();
        while (_pools.Values.SelectMany(pool => pool.Holds).Select(hold => hold.Session).Concat(waits.Select(other => other.Session))
            .Where(session => session != wait.Session && !done.Contains(session)
                && waits.TrueForAll(other => other.Session != session || CanBeServed(other)))
            .ToArray() is { Length: > 0 } more)
        {
            done.UnionWith(more);
        }

        return CanBeServed(wait);

        bool CanBeServed(Wait one)
        {
            var pool = _pools[one.Name];
            if (!pool.Bounded || pool.ReleasedByAnother)
                return true;
            bool IsGone(long session) => session == one.Session || done.Contains(session);
            var back = pool.Holds.Where(hold => IsGone(hold.Session)).Sum(hold => hold.Permits);
            var taken = pool.Line.TakeWhile(ahead => ahead != one).Where(ahead => !IsGone(ahead.Session)).Sum(ahead => ahead.Permits);
            return pool.Available + back >= one.Permits + taken;
        }
    }

    private sealed record Wait(int Number, long Session, string Name, int Permits, long Deadline);

    private sealed class Hold(string name, long session, long grant)
    {
        public string Name => name;

        public long Session => session;

        public long Grant => grant;

        public int Permits { get; set; }
    }

    private sealed class Pool(string name, int initial, bool bounded)
    {
        private static long s_grants;

        public string Name => name;

        public int Initial { get; } = initial;

        public bool Bounded => bounded;

        public int Available { get; set; } = initial;

        public bool ReleasedByAnother { get; set; }

        public List<Hold> Holds { get; } = [];

        public List<Wait> Line { get; } = [];

        public void Give(long session, int permits)
        {
            Available -= permits;
            if (Holds.Find(hold => hold.Session == session) is not { } hold)
                Holds.Add(hold = new Hold(name, session, Interlocked.Increment(ref s_grants)));
            hold.Permits += permits;
        }

        public int TakeFrom(long session, int permits)
        {
            if (Holds.Find(hold => hold.Session == session) is not { } hold)
                return 0;
            var taken = Math.Min(permits, hold.Permits);
            hold.Permits -= taken;
            if (hold.Permits == 0)
                Holds.Remove(hold);
            return taken;
        }
    }
}
