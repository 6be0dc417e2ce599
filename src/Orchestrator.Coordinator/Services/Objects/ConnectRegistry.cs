using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary>The open Connect streams: notified when the coordinator drains, ended when it stops.</summary>
internal sealed class ConnectRegistry : IDisposable
{
    private readonly Lock _gate = new();
    private readonly HashSet<ConnectStream> _streams = [];
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Fires when the coordinator stops.</summary>
    public CancellationToken Stopping => _stopping.Token;

    public IDisposable Add(ConnectStream stream)
    {
        lock (_gate)
            _streams.Add(stream);
        return new Registration(this, stream);
    }

    /// <summary>Notifies every client that the coordinator drains.</summary>
    public void NoticeDraining()
    {
        ConnectStream[] streams;
        lock (_gate)
            streams = [.. _streams];
        foreach (var stream in streams)
            stream.Notify(ErrorReason.Draining, "the coordinator drains: it takes no new tasks and stops soon");
    }

    /// <summary>Ends all streams.</summary>
    public void Stop() => _stopping.Cancel();

    public void Dispose() => _stopping.Dispose();

    private sealed class Registration(ConnectRegistry registry, ConnectStream stream) : IDisposable
    {
        public void Dispose()
        {
            lock (registry._gate)
                registry._streams.Remove(stream);
        }
    }
}
