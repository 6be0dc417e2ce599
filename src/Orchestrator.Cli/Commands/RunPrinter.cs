using System.Diagnostics;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;
using Orchestrator.Protocol;
using Orchestrator.V1;
using Spectre.Console;

namespace Orchestrator.Cli.Commands;

/// <summary>Prints the results of <c>orchestrator run</c>: plain lines, and a progress bar on a terminal.</summary>
internal sealed class RunPrinter(CommandContext context, long count)
{
    private readonly Terminal _terminal = context.Terminal;
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly Dictionary<TaskState, long> _states = [];
    private ProgressTask? _bar;
    private BarConsole? _above;
    private bool _takesResults;
    private long _done;

    public bool HasResults => _done > 0;

    /// <summary>Prints a note to standard error.</summary>
    public void Note(string text)
    {
        if (!Above(VisibleText.Lines(text)))
            _terminal.Note(text);
    }

    public async Task<int> WatchAsync(Func<Task> run)
    {
        // If results go to the same terminal, the bar moves down with them; a single result needs none.
        if (count > 1 && _terminal.ShowsProgress)
        {
            _takesResults = !Console.IsOutputRedirected;
            using var console = new BarConsole(_takesResults ? Console.Out : Console.Error);
            _above = console;
            await ProgressBars.Create(console).StartAsync(async bars =>
            {
                _bar = bars.AddTask("tasks", maxValue: count);
                await run();
            });
            _bar = null;
            _above = null;
        }
        else
        {
            await run();
        }

        if (count > 1)
            _terminal.Note(Summary());
        return _states.Keys.All(state => state == TaskState.Succeeded) && _done == count ? ExitCode.Ok : ExitCode.TaskFailed;
    }

    public void Result(TaskResult result)
    {
        _done++;
        _states[result.State] = _states.GetValueOrDefault(result.State) + 1;
        if (_bar is not null)
            _bar.Value = _done;
        if (_terminal.IsJson)
            Write(CommandContext.ToJsonLine(result));
        else if (result.State != TaskState.Succeeded)
            Fail(result);
        else if (count == 1 && Console.IsOutputRedirected && result.Output?.ContentCase == Payload.ContentOneofCase.Data)
            WriteBytes(result.Output.Data.Span);
        else
            Write(Format.Output(result.Output));
    }

    public void Event(TaskEvent happened)
    {
        if (happened.DroppedBefore > 0)
            Beside(happened, Format.Dropped(happened));
        var text = happened.EventCase switch
        {
            TaskEvent.EventOneofCase.State => Format.State(happened.State),
            TaskEvent.EventOneofCase.Progress => Format.Progress(happened.Progress),
            TaskEvent.EventOneofCase.PartialOutput => "partial output " + Format.Output(happened.PartialOutput),
            TaskEvent.EventOneofCase.Log => $"{happened.Log.Level}: {happened.Log.Message}",
            _ => null,
        };
        if (text is not null)
            Beside(happened, text);
    }

    private void Beside(TaskEvent happened, string text)
    {
        var line = VisibleText.Line($"task {happened.TaskId}: {text}");
        if (!Above(line))
            Console.Error.WriteLine(line);
    }

    private static void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        using var stdout = Console.OpenStandardOutput();
        stdout.Write(bytes);
    }

    private void Fail(TaskResult result)
    {
        var line = VisibleText.Line((count > 1 ? $"task {result.Tag}: " : "") + Format.Failure(result));
        if (_above?.TryWriteLine(line, isFailure: true) != true)
            _terminal.Error(line);
        if (count == 1 && result.Error?.PostMortem is { } death)
        {
            foreach (var stderr in death.LastStderrLines)
                Console.Error.WriteLine("  | " + VisibleText.Line(stderr));
        }
    }

    private void Write(string line)
    {
        if (!_takesResults || !Above(VisibleText.Lines(line)))
            _terminal.Line(line);
    }

    /// <summary>Writes through the bar's console, since the bar would overwrite the line. False if there is no bar.</summary>
    private bool Above(string line) => _above?.TryWriteLine(line) == true;

    private string Summary()
    {
        var elapsed = Stopwatch.GetElapsedTime(_started);
        var states = string.Join(
            ", ", _states.OrderBy(pair => pair.Key).Select(pair => $"{Format.Count(pair.Value)} {Format.State(pair.Key)}"));
        return $"{Format.Count(_done)} tasks in {Format.Time(elapsed)} ({Format.Rate(_done / elapsed.TotalSeconds)}/s): {states}";
    }
}
