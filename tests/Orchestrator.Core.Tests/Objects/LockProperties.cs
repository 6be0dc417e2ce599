using CsCheck;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Locks;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>
/// Random acquires, releases, timeouts, abandoned waits, undelivered grants and dying sessions against <see cref="LockModel"/>: the same
/// requests end in the same order and in the same way; a deadlock is reported exactly when there is one; tokens only grow; nothing is left
/// over.
/// </summary>
public sealed class LockProperties
{
    private static readonly Gen<(int Op, int A, int B)[]> Steps =
        Gen.Select(Gen.Int[0, 15], Gen.Int[0, 1_000], Gen.Int[0, 1_000]).Array[1, 150];

    [Fact]
    public void Locks_behave_as_the_model() => Steps.Sample(steps => new Run(locks: 4).Play(steps), iter: Iterations.Of(1_000), threads: 2);

    /// <summary>Part 5, 25: sessions with several flows, some of them named.</summary>
    [Fact]
    public void Locks_of_flows_behave_as_the_model() =>
        Steps.Sample(steps => new Run(locks: 4, flows: true).Play(steps), iter: Iterations.Of(1_000), threads: 2);

    [Fact]
    public void One_lock_with_many_modes_behaves_as_the_model() =>
        Steps.Sample(steps => new Run(locks: 1).Play(steps), iter: Iterations.Of(400), threads: 2);

    [Fact]
    public void The_same_commands_at_the_same_times_give_the_same_effects() =>
        Steps.Sample(steps => Assert.Equal(new Run(4).Play(steps), new Run(4).Play(steps)), iter: Iterations.Of(200), threads: 2);

    private sealed class Run(int locks, bool flows = false)
    {
        private const int Sessions = 5;

        private readonly ObjectHarness _harness = new();
        private readonly LockModel _model = new();
        private readonly Session?[] _sessions = new Session?[Sessions];
        private readonly List<Call> _calls = [];
        private readonly List<Session> _owners = [];
        private readonly List<(int Request, string Result)> _history = [];
        private readonly bool _reentrant = locks > 1;
        private ulong _token;

        public List<(int Request, string Result)> Play((int Op, int A, int B)[] steps)
        {
            foreach (var (op, a, b) in steps)
            {
                Step(op, a, b);
                Compare();
            }

            foreach (var session in _sessions)
            {
                if (session is { HasEnded: false })
                    End(session);
                Compare();
            }

            Assert.Equal((0, 0, 0), (_harness.View.ObjectCount, _harness.View.WaitCount, _harness.View.SessionCount));
            Assert.Null(_harness.Engine.NextDeadline);
            return _history;
        }

        private void Step(int op, int a, int b)
        {
            switch (op)
            {
                case <= 6:
                    Acquire(Pick(a), b);
                    break;
                case <= 10:
                    Release(Pick(a), b);
                    break;
                case 11 or 12:
                    _harness.Advance(TimeSpan.FromMilliseconds(a % 40));
                    _model.TimeOut(_harness.Now.Ticks);
                    break;
                case 13 when Waiting() is { Length: > 0 } waiting:
                    var call = waiting[a % waiting.Length];
                    _harness.Abandon(_calls[call]);
                    _model.Abandon(call);
                    break;
                case 14:
                    GiveBack(a);
                    break;
                case 15 when b % 3 == 0:
                    End(Pick(a));
                    break;
            }
        }

        private void Acquire(Session session, int b)
        {
            var (name, mode) = Target(b);
            var timeout = (b % 7) switch
            {
                0 => TimeSpan.Zero,
                1 or 2 => TimeSpan.FromMilliseconds(b % 60),
                _ => (TimeSpan?)null,
            };
            var request = _calls.Count;
            _owners.Add(session);
            var flow = flows ? Flow(name, mode, b) : "";
            _calls.Add(_harness.Apply(new AcquireLock(name, mode) { Session = session, Timeout = timeout, Flow = flow }));
            _model.Acquire(request, new LockModel.Party(Number(session), flow), name, mode, timeout is { } span
                ? (_harness.Now + span).Ticks : long.MaxValue, timeout != TimeSpan.Zero);
        }

        /// <summary>
        /// In reentrant and read modes all acquires of a session use one flow: a hold shared by several flows may close a cycle without any
        /// wait.
        /// </summary>
        private static string Flow(string name, LockMode mode, int b) => mode is LockMode.Reentrant or LockMode.Read
            ? (name.Length % 2 == 0 ? "a" : "b")
            : (b / 16 % 4) switch { 0 => "", 1 or 2 => "a", _ => "b" };

        private void Release(Session session, int b)
        {
            var (name, _) = Target(b);
            var outcome = _harness.Release(session, name).Outcome;
            _harness.Completed.RemoveAt(0);
            Assert.Equal(_model.Release(Number(session), name), outcome is ReleaseLockOutcome released ? $"{released.Depth}" : "not owner");
        }

        /// <summary>Only a grant whose hold still exists has an effect, which is a release.</summary>
        private void GiveBack(int a)
        {
            var grants = _calls.Where(call => call is { HasOutcome: true, Outcome: AcquireLockOutcome { Status: WaitStatus.Ok } })
                .ToArray();
            if (grants.Length == 0)
                return;
            var grant = grants[^(1 + (a % Math.Min(grants.Length, 8)))];
            var (name, session, token) =
                (((AcquireLock)grant.Delivery!.Value.Granted!).Lock, grant.Get<AcquireLockOutcome>().Session!, grant.Token);
            var holds = _harness.Engine.Locks.IsHeldWith(name, token);
            _harness.Apply(new CompensateDelivery(grant.Delivery.Value));
            if (holds)
                _model.Release(Number(session), name);
            _harness.Completed.RemoveAt(0);
        }

        private void End(Session session)
        {
            var waits = Waiting().Where(i => _owners[i] == session).ToArray();
            var held = new List<string>();
            for (var hold = session.FirstHold; hold is not null; hold = hold.SessionNext)
                held.Add(hold.Object.Name);
            _harness.End(session);
            _harness.Completed.RemoveAt(0);
            Assert.Equal(held.Select(name => $"locks/{name}").Prepend(""), _harness.Noticed.Select(notice => notice.ObjectName));
            _model.End(Number(session), waits, held);
        }

        private int[] Waiting() => [.. Enumerable.Range(0, _calls.Count).Where(i => _calls[i].Wait is { IsActive: true })];

        private Session Pick(int a)
        {
            ref var session = ref _sessions[a % Sessions];
            if (session is not { HasEnded: false })
                session = _harness.Session($"s{a % Sessions}", TimeSpan.FromHours(1));
            return session;
        }

        private static int Number(Session session) => (int)session.Order;

        private (string Name, LockMode Mode) Target(int b)
        {
            var index = b % locks;
            return (index, _reentrant) switch
            {
                (0, true) => ("plain", LockMode.Plain),
                (1, true) => ("reentrant", LockMode.Reentrant),
                _ => ($"shared-{index}", b / 4 % 3 == 0 ? LockMode.Write : LockMode.Read),
            };
        }

        private void Compare()
        {
            var ended = _harness.Completed.Where(_calls.Contains).Select(call => (_calls.IndexOf(call), Result(call))).ToArray();
            Assert.Equal(_model.Ended, ended);
            _history.AddRange(ended);
            _model.Ended.Clear();
            _harness.Completed.Clear();
            Assert.Equal(_model.InUse, _harness.View.ObjectCount);
            Assert.Equal(_model.Waiting.Select(wait => wait.Number).Order(), Waiting());
        }

        private string Result(Call call)
        {
            switch (call.Outcome)
            {
                case AcquireLockOutcome { Status: WaitStatus.Timeout }:
                    return "timeout";
                case AcquireLockOutcome grant:
                    Assert.True(grant.Depth > 1 || grant.FencingToken > _token, "a token that does not grow");
                    _token = Math.Max(_token, grant.FencingToken);
                    return "ok";
                case ObjectError { Reason: ObjectErrorReason.Deadlock, Cycle: { } cycle }:
                    for (var i = 0; i < cycle.Edges.Count; i++)
                        Assert.Same(cycle.Edges[i].Holder, cycle.Edges[(i + 1) % cycle.Edges.Count].Waiter);
                    Assert.Same(_owners[_calls.IndexOf(call)], cycle.Edges[0].Waiter);
                    return "deadlock";
                default:
                    Assert.Equal(ObjectErrorReason.SessionLost, ((ObjectError)call.Outcome).Reason);
                    return "session lost";
            }
        }
    }
}
