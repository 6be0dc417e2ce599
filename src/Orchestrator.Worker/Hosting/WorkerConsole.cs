using System.Text;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Worker.Hosting;

/// <summary>
/// The standard output and error of a worker: a task's output, on any thread that runs its asynchronous code, goes to the task's log;
/// output outside of tasks goes to the original stream.
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

    /// <summary>Replaces <see cref="Console.Out"/> and <see cref="Console.Error"/>.</summary>
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

    // As a single write, so that lines of several threads do not mix.
    public override void WriteLine(string? value) => Write(value + "\n");

    public override void WriteLine(ReadOnlySpan<char> buffer) => Write(string.Concat(buffer, "\n"));

    public override void Flush() => _process.Flush();
}
