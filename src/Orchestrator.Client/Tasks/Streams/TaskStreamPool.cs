namespace Orchestrator.Client.Tasks.Streams;

/// <summary>The few streams that all tasks of a client share; another one is opened when all open ones are full.</summary>
internal sealed class TaskStreamPool(TaskCalls calls) : IAsyncDisposable
{
    // The coordinator's default grant per stream.
    private const int FullAt = 4_096;

    private readonly Lock _gate = new();
    private readonly List<ResilientTaskStream> _streams = [];
    private bool _disposed;

    public bool AnyConnected
    {
        get
        {
            lock (_gate)
                return _streams.Exists(stream => stream.IsConnected);
        }
    }

    /// <summary>A stream with room, or the one with the fewest tasks.</summary>
    public ResilientTaskStream Pick()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, calls.Owner);
            ResilientTaskStream? least = null;
            var fewest = int.MaxValue;
            foreach (var stream in _streams)
            {
                var open = stream.OpenTasks;
                if (open < FullAt / 2)
                    return stream;
                if (open < fewest)
                    (least, fewest) = (stream, open);
            }

            if (least is not null && (fewest < FullAt || _streams.Count >= calls.Options.MaxStreams))
                return least;
            _streams.Add(least = new ResilientTaskStream(calls));
            return least;
        }
    }

    public async ValueTask DisposeAsync()
    {
        ResilientTaskStream[] streams;
        lock (_gate)
        {
            _disposed = true;
            streams = [.. _streams];
        }

        await Task.WhenAll(streams.Select(stream => stream.DisposeAsync().AsTask())).ConfigureAwait(false);
    }
}
