using System.Runtime.InteropServices;
using System.Text;
using Spectre.Console;

namespace Orchestrator.Cli.Output;

/// <summary>
/// A console for a progress bar and for the lines above it. Once the process has gone to the background it is silent: what moves the cursor would overwrite the lines of what
/// runs in front.
/// </summary>
internal sealed class BarConsole : IDisposable
{
    private readonly Gate _gate;
    private readonly PosixSignalRegistration _continued;

    /// <param name="writer">The terminal's side of it.</param>
    public BarConsole(TextWriter writer)
    {
        _gate = new Gate(writer);
        Console = Terminal.Create(_gate, redirected: false);
        // The only way from the front to the back is to be stopped and continued.
        _continued = PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ =>
        {
            if (!JobControl.IsInForeground)
                _gate.Close();
        });
    }

    /// <summary>Draws the bar.</summary>
    public IAnsiConsole Console { get; }

    /// <summary>
    /// Writes a line above the bar; false where it is silent, and the line is still to be written. The line goes where the bar was, so that what it leaves of that is erased, and
    /// it is not folded: it is there to be copied.
    /// </summary>
    public bool TryWriteLine(string line, bool isFailure = false)
    {
        var text = line.Replace("\n", "\e[K\n", StringComparison.Ordinal);
        if (isFailure && Console.Profile.Capabilities.ColorSystem != ColorSystem.NoColors)
            text = $"\e[31m{text}\e[0m";
        return _gate.Passes(() => Console.Write(new ControlCode(text + "\e[K\n")));
    }

    public void Dispose() => _continued.Dispose();

    private sealed class Gate(TextWriter writer) : TextWriter
    {
        // Of the write that this thread is in: the bar is drawn by another.
        [ThreadStatic]
        private static bool s_dropped;

        private volatile bool _isClosed;

        public override Encoding Encoding => writer.Encoding;

        public override void Close() => _isClosed = true;

        public bool Passes(Action write)
        {
            s_dropped = _isClosed;
            if (!_isClosed)
                write();
            return !s_dropped;
        }

        public override void Write(char value) => Write(value.ToString());

        public override void Write(string? value)
        {
            if (_isClosed)
                s_dropped = true;
            else
                writer.Write(value);
        }

        public override void Flush() => writer.Flush();
    }
}
