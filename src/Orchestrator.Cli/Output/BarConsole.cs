using System.Runtime.InteropServices;
using System.Text;
using Spectre.Console;

namespace Orchestrator.Cli.Output;

/// <summary>
/// A console for a progress bar and the lines above it. It is silent while the process is in the background: cursor movements would
/// overwrite the lines of the foreground job.
/// </summary>
internal sealed class BarConsole : IDisposable
{
    private readonly Gate _gate;
    private readonly PosixSignalRegistration _continued;

    /// <param name="writer">Writes to the terminal.</param>
    public BarConsole(TextWriter writer)
    {
        _gate = new Gate(writer);
        Console = Terminal.Create(_gate, redirected: false);
        // A foreground process moves to the background only by being stopped and continued.
        _continued = PosixSignalRegistration.Create(PosixSignal.SIGCONT, signal =>
        {
            if (JobControl.IsInForeground)
                return;
            // Else the runtime would set up the terminal again. In the background the kernel answers that by SIGTTOU, which the runtime
            // catches once only: if another thread gets it, the call is restarted, and the second one stops the process again.
            signal.Cancel = true;
            _gate.Close();
        });
    }

    /// <summary>Draws the bar.</summary>
    public IAnsiConsole Console { get; }

    /// <summary>
    /// Writes a line above the bar; false if the console is silent, so that the caller must write the line. The line replaces the bar and
    /// erases the rest of it; it is not folded, so that it can be copied.
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
        // Per thread: another thread draws the bar.
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
