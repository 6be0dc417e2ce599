using System.Diagnostics;
using System.Threading.Channels;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Sdk;

/// <summary>
/// A built sample, run as a user would; it and its child processes die with the test, and a process that is left behind fails the test.
/// </summary>
internal sealed class SampleProcess : IAsyncDisposable
{
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly Process _process;
    private readonly string _mark = $"LC_ORCHESTRATOR_TEST={Guid.NewGuid():N}";

    private SampleProcess(string project, string[] arguments)
    {
        var start = new ProcessStartInfo(Repository.PathOf("artifacts", "bin", project, "release", project))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment[_mark.Split('=')[0]] = _mark.Split('=')[1];
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => Errors += line.Data is null ? "" : line.Data + "\n";
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Pid => _process.Id;

    /// <summary>Its standard error output.</summary>
    public string Errors { get; private set; } = "";

    /// <summary>Printed lines that were not read yet.</summary>
    public ChannelReader<string> Lines => _lines.Reader;

    public static SampleProcess Start(string project, params string[] arguments) => new(project, arguments);

    /// <summary>The living processes that it has started, itself included.</summary>
    public IReadOnlyList<int> Family() => ProcessFamily.Marked(_mark);

    /// <summary>The next line that satisfies the predicate.</summary>
    public async Task<string> LineAsync(Func<string, bool> where)
    {
        using var limit = new CancellationTokenSource(SdkWaits.Patience);
        await foreach (var line in Lines.ReadAllAsync(limit.Token))
        {
            if (where(line))
                return line;
        }

        throw new InvalidOperationException($"the sample ended without such a line: {Errors}");
    }

    public void Signal(int signal) => Signals.Send(Pid, signal);

    /// <summary>Waits for its end, and that of its child processes.</summary>
    public async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync().Soon();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        foreach (var pid in Family())
            await ProcessFamily.WaitForEndAsync(pid, limit.Token);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (!_process.HasExited)
                Signal(Signals.Kill);
            await EndAsync();
        }
        finally
        {
            foreach (var pid in Family())
                Signals.Send(pid, Signals.Kill);
            _process.Dispose();
        }
    }

    private void Take(string? line)
    {
        if (line is null)
            _lines.Writer.TryComplete();
        else
            _lines.Writer.TryWrite(line);
    }
}
