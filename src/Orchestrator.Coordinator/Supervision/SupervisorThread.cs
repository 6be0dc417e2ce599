using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>
/// The single thread that owns every child process. It lives as long as the coordinator, since a child's parent-death signal follows the
/// spawning thread, not the process; and it is a dedicated thread, so that a starved thread pool delays neither heartbeat watch nor
/// restarts.
/// </summary>
internal sealed partial class SupervisorThread : IDisposable
{
    private readonly BlockingCollection<Action> _actions = [];
    private readonly PriorityQueue<Action, long> _delayed = new();
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Action _everyPeriod;
    private readonly TimeSpan _period;
    private readonly Thread _thread;

    public SupervisorThread(TimeProvider time, TimeSpan period, Action everyPeriod, ILogger logger)
    {
        _time = time;
        _period = period;
        _everyPeriod = everyPeriod;
        _logger = logger;
        _thread = new Thread(Run) { IsBackground = true, Name = "supervisor" };
        _thread.Start();
    }

    /// <summary>The number of actions that threw. Each was logged, and the thread continued.</summary>
    public long Failures { get; private set; }

    /// <summary>Runs an action on the thread, in order. Dropped once the thread has stopped.</summary>
    public void Post(Action action)
    {
        try
        {
            _actions.Add(action);
        }
        catch (InvalidOperationException)
        {
            // The thread has stopped: no children are left.
        }
    }

    /// <summary>Runs an action on the thread after a delay. Called on the thread itself.</summary>
    public void PostAfter(TimeSpan wait, Action action) =>
        _delayed.Enqueue(action, _time.GetTimestamp() + (long)(wait.TotalSeconds * _time.TimestampFrequency));

    /// <summary>Runs a function on the thread and returns its result.</summary>
    public Task<T> CallAsync<T>(Func<T> function)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try
            {
                result.TrySetResult(function());
            }
            catch (Exception exception)
            {
                result.TrySetException(exception);
            }
        });
        return result.Task;
    }

    public void Dispose()
    {
        _actions.CompleteAdding();
        _thread.Join();
        _actions.Dispose();
    }

    private void Run()
    {
        var lastPeriod = _time.GetTimestamp();
        while (!_actions.IsCompleted)
        {
            if (_actions.TryTake(out var action, NextWait(lastPeriod)))
                Try(action);
            while (_delayed.TryPeek(out var delayed, out var due) && due <= _time.GetTimestamp())
            {
                _delayed.Dequeue();
                Try(delayed);
            }

            if (_time.GetElapsedTime(lastPeriod) >= _period)
            {
                lastPeriod = _time.GetTimestamp();
                Try(_everyPeriod);
            }
        }
    }

    private int NextWait(long lastPeriod)
    {
        var wait = _period - _time.GetElapsedTime(lastPeriod);
        if (_delayed.TryPeek(out _, out var due))
        {
            var untilDue = TimeSpan.FromSeconds((due - _time.GetTimestamp()) / (double)_time.TimestampFrequency);
            wait = untilDue < wait ? untilDue : wait;
        }

        return Math.Max(0, (int)Math.Ceiling(wait.TotalMilliseconds));
    }

    private void Try(Action action)
    {
        try
        {
            action();
        }
        catch (Exception exception)
        {
            // Log, count and continue after an exception: no other thread watches the workers.
            Failures++;
            Log.ActionFailed(_logger, exception);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "A supervision step failed; supervision continues")]
        public static partial void ActionFailed(ILogger logger, Exception exception);
    }
}
