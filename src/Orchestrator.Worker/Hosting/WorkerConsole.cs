using System.Text;

namespace Orchestrator.Worker;

/// <summary>
/// The standard output and error of a worker: what a task prints, on whichever thread its asynchronous code runs, goes to the task's log; what nobody's task prints goes
/// where it always went.
/// </summary>
internal sealed class WorkerConsole : TextWriter
{
    private readonly TextWriter _process;
    private readonly bool _isError;

    private WorkerConsole(TextWriter process, bool isError)
    {
        _process = process;
        _isError = isError;
    }

    public override Encoding Encoding => _process.Encoding;

    /// <summary>Takes the place of <see cref="Console.Out"/> and <see cref="Console.Error"/>.</summary>
    public static void Install()
    {
        Console.SetOut(new WorkerConsole(Console.Out, isError: false));
        Console.SetError(new WorkerConsole(Console.Error, isError: true));
    }

    public override void Write(char value) => Write(new ReadOnlySpan<char>(in value));

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(string? value) => Write(value.AsSpan());

    public override void Write(ReadOnlySpan<char> buffer)
    {
        if (TaskContext.Current is { } attempt)
            attempt.Print(_isError, buffer, _process);
        else
            _process.Write(buffer);
    }

    // In one piece, so that lines of several threads do not mix.
    public override void WriteLine(string? value) => Write(value + "\n");

    public override void WriteLine(ReadOnlySpan<char> buffer) => Write(string.Concat(buffer, "\n"));

    public override void Flush() => _process.Flush();
}
