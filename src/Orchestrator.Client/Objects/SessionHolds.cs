namespace Orchestrator.Client.Objects;

/// <summary>The locks that a session holds, told when they are lost.</summary>
internal sealed class SessionHolds
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<LockHold>> _holds = [];
    private bool _isLost;

    public void Add(LockHold hold)
    {
        lock (_gate)
        {
            // The notice of the loss may have overtaken the grant of this hold.
            if (_isLost)
            {
                hold.SetLost();
                return;
            }

            if (!_holds.TryGetValue(hold.ObjectName, out var holds))
                _holds.Add(hold.ObjectName, holds = []);
            holds.Add(hold);
        }
    }

    public void Remove(LockHold hold)
    {
        lock (_gate)
        {
            if (_holds.TryGetValue(hold.ObjectName, out var holds) && holds.Remove(hold) && holds.Count == 0)
                _holds.Remove(hold.ObjectName);
        }
    }

    /// <summary>The session has lost this object.</summary>
    public void Lose(string objectName)
    {
        LockHold[] lost;
        lock (_gate)
            lost = _holds.Remove(objectName, out var holds) ? [.. holds] : [];
        foreach (var hold in lost)
            hold.SetLost();
    }

    /// <summary>The session itself is lost: so are all its holds, and those still to come.</summary>
    public void LoseAll()
    {
        string[] names;
        lock (_gate)
        {
            _isLost = true;
            names = [.. _holds.Keys];
        }

        foreach (var name in names)
            Lose(name);
    }
}
