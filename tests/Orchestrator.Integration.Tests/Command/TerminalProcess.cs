using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>The built command in a pseudo terminal, created by <c>script</c>: tests wait for its output and press keys.</summary>
internal sealed partial class TerminalProcess : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly Task _reading;
    private readonly StringBuilder _drawn = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _seen;

    private TerminalProcess(string line, int columns, int rows, IEnumerable<KeyValuePair<string, string>> environment, string? folder)
    {
        // script's own input is a pipe, so its terminal has no size unless the test sets one.
        var start = new ProcessStartInfo("script", ["-qefc", $"stty cols {columns} rows {rows}; {line}", "/dev/null"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = folder ?? "",
        };
        start.Environment["TERM"] = "xterm-256color";
        start.Environment["SHELL"] = "/bin/bash";
        start.Environment.Remove("NO_COLOR");
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        _process = Process.Start(start)!;
        _reading = ReadAsync();
    }

    /// <summary>Runs the command with these arguments.</summary>
    public static TerminalProcess Command(
        string arguments, int columns = 160, int rows = 50, params (string Name, string Value)[] environment) => new(
        $"exec {CoordinatorProcess.CommandPath} {arguments}", columns, rows, environment.Select(
            pair => KeyValuePair.Create(pair.Name, pair.Value)), null);

    /// <summary>Runs a line of shell.</summary>
    public static TerminalProcess Shell(string line, IEnumerable<KeyValuePair<string, string>> environment, string folder) =>
        new(line, 160, 50, environment, folder);

    /// <summary>All output, including control sequences.</summary>
    public string Raw
    {
        get
        {
            lock (_drawn)
                return _drawn.ToString();
        }
    }

    /// <summary>Waits until the text appears after the last text that was waited for.</summary>
    public async Task SeeAsync(string text)
    {
        var until = Stopwatch.StartNew();
        while (true)
        {
            Task changed;
            lock (_drawn)
            {
                changed = _changed.Task;
                var at = Plain(_drawn.ToString()).IndexOf(text, _seen, StringComparison.Ordinal);
                if (at >= 0)
                {
                    _seen = at + text.Length;
                    return;
                }
            }

            if (_reading.IsCompleted || until.Elapsed > Limit)
                throw new TimeoutException($"'{text}' was not drawn after: {Plain(Raw)[_seen..]}");
            await Task.WhenAny(changed, _reading).WaitAsync(Limit);
        }
    }

    public async Task PressAsync(string keys)
    {
        await _process.StandardInput.WriteAsync(keys);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>The command's exit code.</summary>
    public async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Limit);
        await _reading.WaitAsync(Limit);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        // Its terminal closes with it, which ends the command.
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _reading.WaitAsync(Limit);
        _process.Dispose();
    }

    private static string Plain(string raw) => ControlSequence().Replace(raw, "");

    private async Task ReadAsync()
    {
        var buffer = new char[8_192];
        while (await _process.StandardOutput.ReadAsync(buffer) is > 0 and var count)
        {
            lock (_drawn)
            {
                _drawn.Append(buffer, 0, count);
                _changed.SetResult();
                _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    [GeneratedRegex(@"\e\[[?0-9;]*[A-Za-z]")]
    private static partial Regex ControlSequence();
}
