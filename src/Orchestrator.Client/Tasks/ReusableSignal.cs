using System.Threading.Tasks.Sources;

namespace Orchestrator.Client.Tasks;

/// <summary>Wakes one waiter without an allocation per wait. Armed and set under its owner's lock.</summary>
internal sealed class ReusableSignal : IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };

    public bool IsArmed { get; private set; }

    public void Arm()
    {
        _core.Reset();
        IsArmed = true;
    }

    public void Set()
    {
        if (!IsArmed)
            return;
        IsArmed = false;
        _core.SetResult(true);
    }

    public ValueTask WaitAsync() => new(this, _core.Version);

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
