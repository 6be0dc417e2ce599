using System.Threading.Channels;
using Orchestrator.Cli.Output;
using Orchestrator.Client;
using Orchestrator.Client.Errors;
using Spectre.Console;

namespace Orchestrator.Cli.Top;

/// <summary>The live view: snapshots, keys and answers arrive through one queue, and each redraws the screen.</summary>
internal sealed class TopLoop(OrchestratorClient client, IAnsiConsole console, TimeSpan interval)
{
    private readonly Channel<object> _inbox = Channel.CreateUnbounded<object>(new UnboundedChannelOptions { SingleReader = true });
    private readonly TopControls _controls = new();
    private readonly TopRates _rates = new();
    private TopSnapshot? _snapshot;

    public async Task RunAsync(CancellationToken token)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(token);
        var watching = WatchAsync(ending.Token);
        ReadKeys();
        // The alternate screen, as in an editor: the terminal's contents reappear afterwards.
        console.Write(new ControlCode("\e[?1049h\e[H"));
        try
        {
            await console.Live(new Text("")).AutoClear(true).Overflow(VerticalOverflow.Crop).Cropping(VerticalOverflowCropping.Bottom)
                .StartAsync(live => ShowAsync(live, ending.Token));
        }
        finally
        {
            console.Write(new ControlCode("\e[?1049l"));
            await ending.CancelAsync();
            await watching;
        }
    }

    private async Task ShowAsync(LiveDisplayContext live, CancellationToken token)
    {
        await foreach (var item in _inbox.Reader.ReadAllAsync(token))
        {
            switch (item)
            {
                case TopSnapshot snapshot:
                    _snapshot = snapshot;
                    _rates.Add(snapshot);
                    _controls.See(snapshot);
                    break;
                case ConsoleKeyInfo key when _snapshot is not null:
                    var action = _controls.Press(key, _snapshot);
                    if (action == TopAction.Quit)
                        return;
                    if (action != TopAction.None)
                        _ = ActAsync(action, token);
                    break;
                case ConsoleKeyInfo { KeyChar: 'q' }:
                    return;
                case string message:
                    _controls.Message = message;
                    break;
            }

            if (_snapshot is not null)
                live.UpdateTarget(TopScreen.Draw(_snapshot, _rates, _controls, console.Profile.Width, console.Profile.Height));
        }
    }

    private async Task WatchAsync(CancellationToken token)
    {
        try
        {
            await foreach (var snapshot in new TopFeed(client).WatchAsync(interval, token))
                await _inbox.Writer.WriteAsync(snapshot, token);
            _inbox.Writer.TryComplete(
                new CoordinatorUnavailableException("The coordinator has stopped. Start one with 'orchestrator serve'.", null));
        }
        catch (Exception exception)
        {
            // The loop shows this error after the earlier messages; the loop's own cancellation is not an error.
            _inbox.Writer.TryComplete(token.IsCancellationRequested ? null : exception);
        }
    }

    // Waiting for a key needs a thread; this one ends with the process.
    private void ReadKeys()
    {
        if (Console.IsInputRedirected)
            return;
        new Thread(() =>
        {
            while (_inbox.Writer.TryWrite(Console.ReadKey(intercept: true)))
            {
            }
        })
        { IsBackground = true, Name = "keys" }.Start();
    }

    private async Task ActAsync(TopAction action, CancellationToken token)
    {
        var (worker, task) = (_controls.Worker, _controls.Task);
        try
        {
            _inbox.Writer.TryWrite(action switch
            {
                TopAction.Recycle => $"Recycling {worker} …",
                TopAction.Drain => "Draining …",
                _ => $"Cancelling task {task} …",
            });
            _inbox.Writer.TryWrite(action switch
            {
                TopAction.Recycle => $"{worker} was recycled ({await client.RecycleWorkersAsync(worker, cancellationToken: token)}).",
                TopAction.Drain => await client.DrainAsync(null, stop: false, token) is > 0 and var left
                    ? $"Drained; {left} tasks are unfinished." : "Drained.",
                _ => (await client.CancelAsync([task!.Value], cancellationToken: token)).Count > 0
                    ? $"Task {task} was cancelled." : $"Task {task} had finished.",
            });
        }
        catch (OrchestratorException exception)
        {
            _inbox.Writer.TryWrite(Format.FirstLine(exception.Message));
        }
        catch (OperationCanceledException)
        {
            // The view has ended.
        }
    }
}
