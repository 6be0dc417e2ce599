namespace Orchestrator.Worker.Service;

/// <summary>
/// A dedicated thread that beats at an interval, and acts at once when signalled. Neither user code nor a starved thread pool delays it, so
/// a worker is silent only if the machine itself does not run it.
/// </summary>
internal sealed class HeartbeatThread : IDisposable
{
    private readonly object _gate = new();
    private readonly TimeSpan _interval;
    private readonly TimeProvider _time;
    private readonly Action _onSignal;
    private readonly Action _onBeat;
    private bool _signalled;
    private bool _waiting;
    private bool _stopped;

    public HeartbeatThread(TimeSpan interval, TimeProvider time, Action onSignal, Action onBeat)
    {
        _interval = interval;
        _time = time;
        _onSignal = onSignal;
        _onBeat = onBeat;
    }

    public void Start() => new Thread(Loop) { IsBackground = true, Name = "pulse" }.UnsafeStart();

    public void Signal()
    {
        lock (_gate)
        {
            _signalled = true;
            if (_waiting)
                Monitor.Pulse(_gate);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _stopped = true;
            Monitor.Pulse(_gate);
        }
    }

    private void Loop()
    {
        var last = _time.GetTimestamp();
        _onBeat();
        while (true)
        {
            bool signalled;
            lock (_gate)
            {
                var rest = _interval - _time.GetElapsedTime(last);
                if (!_signalled && !_stopped && rest > TimeSpan.Zero)
                {
                    _waiting = true;
                    Monitor.Wait(_gate, rest);
                    _waiting = false;
                }

                if (_stopped)
                    return;
                signalled = _signalled;
                _signalled = false;
            }

            if (signalled)
                _onSignal();
            if (_time.GetElapsedTime(last) >= _interval)
            {
                last = _time.GetTimestamp();
                _onBeat();
            }
        }
    }
}
