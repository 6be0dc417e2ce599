namespace Orchestrator.Core.Kernel;

/// <summary>What is held and what waits, by the kind of the objects.</summary>
internal sealed class KindTallies
{
    private readonly KindTally[] _kinds = [.. Enumerable.Range(0, ObjectKinds.Count).Select(_ => new KindTally())];

    public KindTally this[ObjectKind kind] => _kinds[(int)kind];

    public void AddHold(Hold hold) => this[hold.Object.Kind].Held++;

    public void RemoveHold(Hold hold) => this[hold.Object.Kind].Held--;

    /// <summary>A command begins to wait. It counts at the object that it was sent for, also while it waits for another's.</summary>
    public void Begin(Wait wait) => this[wait.Command.Primitive].Waiters++;

    public void End(Wait wait, long now)
    {
        var kind = this[wait.Command.Primitive];
        kind.Waiters--;
        kind.WaitTimes.Record(now - wait.Since);
    }
}
