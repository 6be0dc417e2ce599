namespace Orchestrator.Client;

/// <summary>The few streams that all tasks of a client share; another one is opened when all open ones are full.</summary>
internal sealed class TaskStreamPool(OrchestratorClient client, int limit) : IAsyncDisposable
{
    // The coordinator's default grant per stream.
    private const int FullAt = 4_096;

    private readonly Lock _gate = new();
    private readonly List<ResilientTaskStream> _lines = [];
    private bool _disposed;

    public bool AnyConnected
    {
        get
        {
            lock (_gate)
                return _lines.Exists(line => line.IsConnected);
        }
    }

    /// <summary>A stream with room, or the one with the fewest tasks.</summary>
    public ResilientTaskStream Pick()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(OrchestratorClient));
            ResilientTaskStream? least = null;
            var fewest = int.MaxValue;
            foreach (var line in _lines)
            {
                var open = line.OpenTasks;
                if (open < FullAt / 2)
                    return line;
                if (open < fewest)
                    (least, fewest) = (line, open);
            }

            if (least is not null && (fewest < FullAt || _lines.Count >= limit))
                return least;
            _lines.Add(least = new ResilientTaskStream(client));
            return least;
        }
    }

    public async ValueTask DisposeAsync()
    {
        ResilientTaskStream[] lines;
        lock (_gate)
        {
            _disposed = true;
            lines = [.. _lines];
        }

        await Task.WhenAll(lines.Select(line => line.DisposeAsync().AsTask()));
    }
}
