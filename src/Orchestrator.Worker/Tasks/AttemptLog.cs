using System.Text;

namespace Orchestrator.Worker.Tasks;

/// <summary>
/// Forwards the log lines and console output of one attempt to the task's log. Created at the first line. Lines may come from
/// several threads at once.
/// </summary>
internal sealed class AttemptLog(TaskContext attempt)
{
    /// <summary>The most bytes of one attempt that are forwarded.</summary>
    public const int MaxBytes = 64 * 1_024;

    /// <summary>
    /// Marks a line on the process's own output that is already in the task's log: the coordinator then keeps it only for the
    /// last words.
    /// </summary>
    public const char PassedOn = '\u001e';

    private const int MaxLine = 16 * 1_024;

    private readonly Lock _gate = new();
    private StringBuilder? _output;
    private StringBuilder? _error;
    private int _bytes;
    private bool _isFull;
    private long _lost;

    /// <summary>A line of a logger.</summary>
    public void Write(string level, string message)
    {
        lock (_gate)
            Add(level, message);
    }

    /// <summary>Takes console output, and forwards each complete line.</summary>
    /// <param name="isError">Whether it was printed to standard error.</param>
    /// <param name="text">Any part of a line, or several lines.</param>
    /// <param name="process">The process's own output, which also gets each line, for its last words.</param>
    public void Print(bool isError, ReadOnlySpan<char> text, TextWriter process)
    {
        lock (_gate)
        {
            var line = isError ? _error ??= new StringBuilder() : _output ??= new StringBuilder();
            while (text.IndexOf('\n') is >= 0 and var end)
            {
                Append(line, text[..end]);
                EndLine(isError, line, process);
                text = text[(end + 1)..];
            }

            Append(line, text);
        }
    }

    /// <summary>The attempt ends: output without a final line end is a line, too.</summary>
    public void Finish()
    {
        lock (_gate)
        {
            if (_output is { Length: > 0 })
                EndLine(isError: false, _output, null);
            if (_error is { Length: > 0 })
                EndLine(isError: true, _error, null);
            TellLost();
        }
    }

    private static void Append(StringBuilder line, ReadOnlySpan<char> text) =>
        line.Append(text[..Math.Min(text.Length, Math.Max(0, MaxLine + 1 - line.Length))]);

    private void EndLine(bool isError, StringBuilder line, TextWriter? process)
    {
        var text = line.ToString().TrimEnd('\r');
        line.Clear();
        process?.Write($"{PassedOn}{text}\n");
        Add(isError ? "stderr" : "stdout", text);
    }

    private void Add(string level, string message)
    {
        if (_isFull)
            return;
        message = ExceptionText.Clean(message, MaxLine);
        var bytes = Encoding.UTF8.GetByteCount(message) + 1;
        if (_bytes + bytes > MaxBytes)
        {
            _isFull = true;
            attempt.SendLog("warning", $"this task's log holds {MaxBytes >> 10} KB; what it writes from here on is cut");
            return;
        }

        _bytes += bytes;
        if (!attempt.HasRoom)
        {
            _lost++;
            return;
        }

        TellLost();
        attempt.SendLog(level, message);
    }

    private void TellLost()
    {
        if (_lost > 0)
            attempt.SendLog("warning", $"{_lost} lines before this were lost: they came faster than they could be sent");
        _lost = 0;
    }
}
