using System.Text;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>
/// What of a child's standard output and error is worth keeping: the last lines, and of a report of its own death, which may be thousands of lines of one stack, the
/// first, which hold the type, the message and where it was. A full pipe would block the child, so all is read and little is kept.
/// </summary>
internal sealed class OutputRingBuffer
{
    private const char PassedOn = '\u001e';
    private const int MaxLines = 20;
    private const int MaxReportLines = 12;
    private const int MaxLineLength = 500;
    private const int MaxReportLineLength = 2_000;

    // How the runtimes begin their last words: .NET's, this project's worker SDK's, Go's, C++'s, Node's. Python says type and message last, which the last lines hold.
    private static readonly string[] Beginnings =
    [
        "Unhandled exception", "Process terminated.", "Fatal error.", "Stack overflow.", "Out of memory.", "worker: ", "panic: ", "fatal error: ", "terminate called ", "FATAL ERROR: ",
    ];

    private readonly Lock _gate = new();
    private readonly Queue<string> _lines = new();
    private readonly List<string> _report = [];
    private readonly StringBuilder _line = new();
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly char[] _chars = new char[4_096];
    private long _linesOfReport;
    private int _linesOfOthers;
    private bool _isCut;

    /// <summary>Called with each line that its writer has not passed on itself. Under the ring's lock, in order.</summary>
    public Action<string>? OnLine { get; set; }

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

    /// <summary>At most some twenty lines: the last, or the first of a report of the process's death and the last behind it.</summary>
    /// <param name="isReport">Whether the first line is that of such a report.</param>
    public IReadOnlyList<string> LastLines(out bool isReport)
    {
        lock (_gate)
        {
            if (_line.Length > 0)
                EndLine();
            isReport = _report.Count > 0;
            if (!isReport)
                return [.. _lines];
            var behind = _linesOfReport - _report.Count;
            var last = _lines.TakeLast((int)Math.Min(behind, MaxLines - MaxReportLines)).ToArray();
            var skipped = behind - last.Length;
            return skipped > 0 ? [.. _report, $"… {skipped} lines …", .. last] : [.. _report, .. last];
        }
    }

    private void Append(char c)
    {
        if (c == '\n')
        {
            EndLine();
        }
        else if (_line.Length < MaxLineLength || (_line.Length < MaxReportLineLength && IsBeginning(_line)))
        {
            _line.Append(c);
        }
        else
        {
            _isCut = true;
            DroppedBytes++;
        }
    }

    private void EndLine()
    {
        var line = _line.ToString().TrimEnd('\r');
        if (_isCut)
            line += "…";
        _isCut = false;
        _line.Clear();
        // The worker SDK's mark of a line that a task's log has already.
        var isPassedOn = line.StartsWith(PassedOn);
        if (isPassedOn)
            line = line[1..];
        else
            OnLine?.Invoke(line);
        KeepReport(line);
        _lines.Enqueue(line);
        if (_lines.Count > MaxLines)
            DroppedBytes += _lines.Dequeue().Length + 1;
    }

    private void KeepReport(string line)
    {
        if (Array.Exists(Beginnings, beginning => line.StartsWith(beginning, StringComparison.Ordinal)))
        {
            _report.Clear();
            (_linesOfReport, _linesOfOthers) = (0, 0);
        }
        else if (_report.Count == 0)
        {
            return;
        }
        else if (line.Length > 0 && !char.IsWhiteSpace(line[0]) && ++_linesOfOthers >= MaxLines)
        {
            // It goes on living and talking.
            _report.Clear();
            return;
        }

        _linesOfReport++;
        if (_report.Count < MaxReportLines)
            _report.Add(line);
    }

    private static bool IsBeginning(StringBuilder line)
    {
        foreach (var beginning in Beginnings)
        {
            if (line.Length >= beginning.Length && line.ToString(0, beginning.Length) == beginning)
                return true;
        }

        return false;
    }
}
