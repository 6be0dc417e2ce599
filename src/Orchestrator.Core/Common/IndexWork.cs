namespace Orchestrator.Core.Common;

/// <summary>
/// How much a question may still add to the index that it needs. The host asks again after it has released its lock, so that the first
/// question about a million names delays no command by more than a small part of the work.
/// </summary>
internal sealed class IndexWork
{
    private int _left = int.MaxValue;

    /// <summary>Whether the question's answer is void, since its index is not complete yet.</summary>
    public bool IsUnfinished { get; private set; }

    /// <summary>Begins a question.</summary>
    /// <param name="most">The most items that it may add to an index.</param>
    public void Begin(int most) => (_left, IsUnfinished) = (most, false);

    /// <summary>Whether one more item may be added; otherwise the question is unfinished.</summary>
    public bool TryTake()
    {
        if (_left-- > 0)
            return true;
        IsUnfinished = true;
        return false;
    }
}
