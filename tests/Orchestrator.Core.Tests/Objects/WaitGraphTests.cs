using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>
/// Waits for some of several holders: what is a deadlock among locks need not be one there, and a knot is one without a single cycle.
/// </summary>
public sealed class WaitGraphTests
{
    private readonly ObjectHarness _harness = new();
    private readonly Session _ann;
    private readonly Session _bob;
    private readonly Session _cid;

    public WaitGraphTests()
    {
        _ann = _harness.Session("ann");
        _bob = _harness.Session("bob");
        _cid = _harness.Session("cid");
    }

    [Fact]
    public void As_long_as_enough_other_holders_get_done_it_is_no_deadlock()
    {
        var pool = new Pool("p", _harness.Engine, _ann, _bob);
        _harness.Acquire(_cid, "held-by-cid");
        Assert.NotNull(_harness.Acquire(_ann, "held-by-cid").Wait);
        // The waiter ahead gets bob's permit, and releases it when done.
        Assert.NotNull(Take(_harness.Session("dan"), pool, 1).Wait);
        var one = Take(_cid, pool, 1);
        Assert.NotNull(one.Wait);
        _harness.Abandon(one);
        // Both permits require that ann, who waits for cid, also finishes.
        var cycle = Take(_cid, pool, 2).Fails(ObjectErrorReason.Deadlock).Cycle!;
        Assert.Equal([("semaphores/p", _ann), ("locks/held-by-cid", _cid)], cycle.Edges.Select(edge => (edge.ObjectName, edge.Holder!)));
    }

    [Fact]
    public void The_last_holder_who_could_have_helped_closes_the_cycle()
    {
        var pool = new Pool("p", _harness.Engine, _ann, _bob);
        _harness.Acquire(_cid, "held-by-cid", Core.Locks.LockMode.Read);
        Assert.NotNull(_harness.Acquire(_ann, "held-by-cid", Core.Locks.LockMode.Write).Wait);
        Assert.NotNull(Take(_cid, pool, 1).Wait);
        _harness.Acquire(_bob, "held-by-cid", Core.Locks.LockMode.Write).Fails(ObjectErrorReason.Deadlock);
    }

    [Fact]
    public void A_knot_in_which_everyone_needs_one_of_two_is_found()
    {
        // ann needs bob or cid, bob needs ann or cid; once cid waits for ann, none of the three can proceed.
        var (forAnn, forBob) = (new Pool("a", _harness.Engine, _bob, _cid), new Pool("b", _harness.Engine, _ann, _cid));
        _harness.Acquire(_ann, "held-by-ann");
        Assert.NotNull(Take(_ann, forAnn, 1).Wait);
        Assert.NotNull(Take(_bob, forBob, 1).Wait);
        var cycle = _harness.Acquire(_cid, "held-by-ann").Fails(ObjectErrorReason.Deadlock).Cycle!;
        Assert.Equal([_ann, _cid], cycle.Edges.Select(edge => edge.Holder));
    }

    [Fact]
    public void A_wait_that_an_outsider_can_end_is_no_deadlock()
    {
        var pool = new Pool("p", _harness.Engine, _ann);
        _harness.Acquire(_bob, "held-by-bob");
        Assert.NotNull(Take(_bob, pool, 0).Wait);
        Assert.NotNull(_harness.Acquire(_ann, "held-by-bob").Wait);
    }

    private Call Take(Session session, Pool pool, int permits) => _harness.Apply(new TakePermits(pool, permits) { Session = session });

    /// <summary>One permit per holder, none of them free: the minimum of a semaphore that the wait graph needs.</summary>
    private sealed class Pool : NamedObject
    {
        private readonly Session[] _holders;

        public Pool(string name, ObjectEngine engine, params Session[] holders)
            : base(ObjectKind.Semaphore, name)
        {
            _holders = holders;
            engine.Machines[ObjectKind.Semaphore] = new PoolMachine(engine.Context);
            foreach (var holder in holders)
                engine.Context.AddHold(new Permit(holder, this));
        }

        public override WaiterQueue Waiters { get; } = new();

        public override bool HasWaiters => Waiters.Count > 0;

        public override void AddBlockers(Wait wait, Blockers blockers)
        {
            blockers.Needed = ((TakePermits)wait.Command).Permits;
            foreach (var holder in _holders)
                blockers.Add(new SessionFlow(holder, ""), 1);
            for (var ahead = wait.Previous; ahead is not null; ahead = ahead.Previous)
            {
                var permits = ((TakePermits)ahead.Command).Permits;
                blockers.Needed += permits;
                blockers.Add(ahead.Flow, permits);
            }
        }
    }

    private sealed class PoolMachine(IPrimitiveContext context) : PrimitiveMachine(context)
    {
        public override void Apply(ObjectCommand command)
        {
            var take = (TakePermits)command;
            Context.Suspend(take, take.Session, take.Pool, take.Pool.Waiters);
        }

        public override void OnWaiterLeft(Wait wait)
        {
        }
    }

    private sealed class Permit(Session session, NamedObject pool) : Hold(session, pool, "", 0);

    private sealed record TakePermits(Pool Pool, int Permits) : WaitingCommand
    {
        internal override ObjectOutcome TimedOut => Done.Instance;

        internal override ObjectKind Primitive => ObjectKind.Semaphore;
    }
}
