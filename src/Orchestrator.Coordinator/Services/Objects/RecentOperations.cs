namespace Orchestrator.Coordinator.Services.Objects;

/// <summary>What is remembered of a stream's last operations, by their ids: the oldest is forgotten for each new one.</summary>
/// <typeparam name="T">What is remembered.</typeparam>
internal sealed class RecentOperations<T>
{
    /// <summary>The number of operations that are remembered.</summary>
    public const int Maximum = 256;

    private (ulong Id, T Value)[] _recent = new (ulong, T)[16];
    private long _count;

    /// <summary>Remembers an operation.</summary>
    public void Add(ulong id, T value)
    {
        if (_count == _recent.Length && _count < Maximum)
            Array.Resize(ref _recent, Math.Min(Maximum, _recent.Length * 4));
        _recent[_count++ % _recent.Length] = (id, value);
    }

    /// <summary>What was remembered last of an operation; false if it is not among the last.</summary>
    public bool TryFind(ulong id, out T value)
    {
        for (var i = _count - 1; i >= 0 && i >= _count - _recent.Length; i--)
        {
            if (_recent[i % _recent.Length].Id != id)
                continue;
            value = _recent[i % _recent.Length].Value;
            return true;
        }

        value = default!;
        return false;
    }
}
