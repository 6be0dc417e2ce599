using System.Text;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>The last lines of what a child wrote to its standard output and error. A full pipe would block the child, so all is read and little is kept.</summary>
internal sealed class OutputRing
{
    private const int MaxLines = 20;
    private const int MaxLineLength = 500;

    private readonly Lock _gate = new();
    private readonly Queue<string> _lines = new();
    private readonly StringBuilder _line = new();
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly char[] _chars = new char[4_096];

    /// <summary>Bytes that were read and are no longer kept.</summary>
    public long DroppedBytes { get; private set; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            while (bytes.Length > 0)
            {
                _decoder.Convert(bytes, _chars, flush: false, out var used, out var produced, out _);
                bytes = bytes[used..];
                foreach (var c in _chars.AsSpan(0, produced))
                    Append(c);
            }
        }
    }

    public IReadOnlyList<string> LastLines()
    {
        lock (_gate)
            return _line.Length == 0 ? [.. _lines] : [.. _lines, _line.ToString()];
    }

    private void Append(char c)
    {
        if (c == '\n')
        {
            _lines.Enqueue(_line.ToString().TrimEnd('\r'));
            _line.Clear();
            if (_lines.Count > MaxLines)
                DroppedBytes += _lines.Dequeue().Length + 1;
        }
        else if (_line.Length < MaxLineLength)
        {
            _line.Append(c);
        }
        else
        {
            DroppedBytes++;
        }
    }
}
