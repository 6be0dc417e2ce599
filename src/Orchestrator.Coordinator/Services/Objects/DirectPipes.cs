using Microsoft.Win32.SafeHandles;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Core.Pipes;
using Orchestrator.Transport.Sockets;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary>
/// The sockets of direct pipes, a pair each. This process keeps both ends, so that an end can be attached again and closed from here,
/// whatever its process does.
/// </summary>
internal sealed class DirectPipes(ObjectEngineHost host)
{
    // As much as the kernel grants: a message of a megabyte should not wake its receiver for each small part of it.
    private const int BufferBytes = 4 * 1024 * 1024;

    private const int LeastSwept = 16;

    private readonly Lock _gate = new();
    private readonly Dictionary<long, Pair> _pairs = [];
    private int _sweptAt = LeastSwept;

    /// <summary>The socket of an end, which stays this object's.</summary>
    /// <exception cref="IOException">Out of file descriptors.</exception>
    public SafeFileHandle Get(PipeInfo pipe, PipeEnd end)
    {
        lock (_gate)
        {
            if (!_pairs.TryGetValue(pipe.Number, out var pair))
            {
                Sweep();
                _pairs.Add(pipe.Number, pair = Pair.Create(pipe.Spec));
            }

            return end == PipeEnd.A ? pair.A : pair.B;
        }
    }

    /// <summary>An end of a pipe has been closed: its peer reads what it sent before, then the end.</summary>
    public void Close(PipeInfo pipe, PipeEnd end)
    {
        lock (_gate)
        {
            if (!_pairs.TryGetValue(pipe.Number, out var pair))
                return;
            _ = UnixSockets.shutdown(end == PipeEnd.A ? pair.A : pair.B, UnixSockets.ShutdownBoth);
            if (IsOver(pipe.Number, pair))
                Remove(pipe.Number, pair);
        }
    }

    /// <summary>Drops the sockets of pipes that were closed while none of their ends was attached.</summary>
    private void Sweep()
    {
        if (_pairs.Count < _sweptAt)
            return;
        foreach (var (number, pair) in _pairs.Where(entry => IsOver(entry.Key, entry.Value)).ToArray())
            Remove(number, pair);
        // So that each pipe is looked at a few times in its life.
        _sweptAt = Math.Max(LeastSwept, _pairs.Count * 2);
    }

    private bool IsOver(long number, Pair pair) => host.Read((view, _) => view.FindPipe(pair.Name)?.Number) != number;

    private void Remove(long number, Pair pair)
    {
        _pairs.Remove(number);
        pair.A.Dispose();
        pair.B.Dispose();
    }

    private sealed record Pair(string Name, SafeFileHandle A, SafeFileHandle B)
    {
        public static Pair Create(PipeSpec spec)
        {
            var (a, b) = UnixSockets.CreatePair(BufferBytes);
            if (!spec.Duplex)
                _ = UnixSockets.shutdown(a, UnixSockets.ShutdownWrites);
            return new Pair(spec.Name, a, b);
        }
    }
}
