using Orchestrator.Coordinator.Hosting;

namespace Orchestrator.Coordinator.Services;

/// <summary>The open task streams: counted, and told when the coordinator drains.</summary>
/// <param name="instance">What the streams tell their clients, by which these recognize a coordinator that was started again.</param>
internal sealed class StreamRegistry(CoordinatorInstance instance) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly HashSet<TaskStreamSession> _streams = [];
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Which life of the coordinator this is.</summary>
    public string Instance => instance.Id;

    public int Count
    {
        get
        {
            lock (_gate)
                return _streams.Count;
        }
    }

    /// <summary>Fires when the coordinator reads no more requests.</summary>
    public CancellationToken Stopping => _stopping.Token;

    public IDisposable Add(TaskStreamSession stream)
    {
        lock (_gate)
            _streams.Add(stream);
        return new Registration(this, stream);
    }

    /// <summary>Tells every client to submit elsewhere.</summary>
    public void NoticeDraining()
    {
        TaskStreamSession[] streams;
        lock (_gate)
            streams = [.. _streams];
        foreach (var stream in streams)
            stream.NoticeDraining();
    }

    /// <summary>Ends the reading of all streams.</summary>
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
