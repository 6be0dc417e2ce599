using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Services;

/// <summary>The open task streams: counted, and notified when the coordinator drains.</summary>
/// <param name="instance">The instance id that streams send, by which clients recognize a restarted coordinator.</param>
internal sealed class StreamRegistry(CoordinatorInstance instance) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly HashSet<TaskStreamSession> _streams = [];
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>The coordinator's instance id.</summary>
    public string Instance => instance.Id;

    public int Count
    {
        get
        {
            lock (_gate)
                return _streams.Count;
        }
    }

    /// <summary>Fires when the coordinator stops reading requests.</summary>
    public CancellationToken Stopping => _stopping.Token;

    public IDisposable Add(TaskStreamSession stream)
    {
        lock (_gate)
            _streams.Add(stream);
        return new Registration(this, stream);
    }

    /// <summary>Notifies every client to submit elsewhere.</summary>
    public void NoticeDraining()
    {
        TaskStreamSession[] streams;
        lock (_gate)
            streams = [.. _streams];
        foreach (var stream in streams)
            stream.NoticeDraining();
    }

    /// <summary>Stops reading all streams.</summary>
    public void Stop() => _stopping.Cancel();

    public void Dispose() => _stopping.Dispose();

    private sealed class Registration(StreamRegistry registry, TaskStreamSession stream) : IDisposable
    {
        public void Dispose()
        {
            lock (registry._gate)
                registry._streams.Remove(stream);
        }
    }
}
