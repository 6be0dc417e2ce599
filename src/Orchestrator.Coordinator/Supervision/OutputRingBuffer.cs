using System.Text;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>
/// The kept part of a child's standard output and error: the last lines and, of a crash report, which may be thousands of lines of one
/// stack, the first lines, which hold the type, the message and the location. A full pipe would block the child, so everything is read and
/// little is kept.
/// </summary>
internal sealed class OutputRingBuffer
{
    private const char PassedOn = '\u001e';
    private const int MaxLines = 20;
    private const int MaxReportLines = 12;
    private const int MaxLineLength = 500;
    private const int MaxReportLineLength = 2_000;

    // First words of the crash reports of .NET, this project's worker SDK, Go, C++ and Node. Python prints type and message last, so the
    // last lines hold them.
    private static readonly string[] Beginnings =
    [
        "Unhandled exception", "Process terminated.", "Fatal error.", "Stack overflow.", "Out of memory.", "worker: ", "panic: ",
        "fatal error: ", "terminate called ", "FATAL ERROR: ",
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

    /// <summary>Called with each line that the worker has not forwarded itself. Under the ring's lock, in order.</summary>
    public Action<string>? OnLine { get; set; }

    /// <summary>The number of bytes read and no longer kept.</summary>
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

    /// <summary>At most about twenty lines: the last ones, or the first lines of a crash report and the last lines after it.</summary>
    /// <param name="isReport">Whether the first line starts a crash report.</param>
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
        // The worker SDK's mark of a line that is already in a task's log.
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
            // The process has survived the report and prints on.
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
