using System.Diagnostics;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.V1;

namespace Orchestrator.TestKit.Load;

/// <summary>One client that sends tasks over one stream until it is stopped, and enters each into a ledger.</summary>
public sealed class TaskLoad : IAsyncDisposable
{
    private readonly OrchestratorClient _client;
    private readonly TaskStream _stream;
    private readonly TaskLedger _ledger;
    private readonly HashSet<ulong> _mine = [];
    private readonly CancellationTokenSource _enough = new();
    private readonly Task _sending;

    private TaskLoad(
        OrchestratorClient client, TaskLedger ledger, Func<ulong, TaskSpec> make, double rate, int inFlight, Action<TaskResult>? onResult)
    {
        (_client, _ledger) = (client, ledger);
        _stream = client.Contract.OpenTaskStream(new TaskStreamOptions
        {
            MaxInFlight = inFlight,
            OnResult = result =>
            {
                lock (_mine)
                    _mine.Remove(result.Tag);
                ledger.End(result);
                onResult?.Invoke(result);
            },
        });
        _sending = Task.Run(() => SendAsync(make, rate));
    }

    /// <summary>Connects and begins.</summary>
    /// <param name="address">The coordinator's, or a relay's.</param>
    /// <param name="token">The coordinator's.</param>
    /// <param name="ledger">Where the tasks are entered.</param>
    /// <param name="make">Makes the task with this tag; the tag is set afterwards.</param>
    /// <param name="rate">Creates the task for this tag; the tag is set afterwards.</param>
    /// <param name="inFlight">How many are unfinished at most.</param>
    /// <param name="onResult">The maximum number of unfinished tasks.</param>
    public static async Task<TaskLoad> StartAsync(
        string address, string token, TaskLedger ledger, Func<ulong, TaskSpec> make, double rate = double.PositiveInfinity,
        int inFlight = 256, Action<TaskResult>? onResult = null)
    {
        var client = await OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { Endpoint = address, Token = token });
        return new TaskLoad(client, ledger, make, rate, inFlight, onResult);
    }

    /// <summary>The stream, for instance to cancel its tasks.</summary>
    public TaskStream Stream => _stream;

    /// <summary>Stops sending.</summary>
    public async Task StopAsync()
    {
        await _enough.CancelAsync();
        await _sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Stops sending and waits for unanswered tasks.</summary>
    public async Task FinishAsync(TimeSpan limit)
    {
        await _enough.CancelAsync();
        await _sending;
        await _stream.CompleteAsync();
        await _stream.Completion.WaitAsync(limit);
    }

    /// <summary>Disconnects with unanswered tasks.</summary>
    public async Task VanishAsync()
    {
        await _enough.CancelAsync();
        await _stream.DisposeAsync();
        await _client.DisposeAsync();
        await _sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_mine)
        {
            _ledger.GiveUp(_mine);
            _mine.Clear();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await VanishAsync();
        _enough.Dispose();
    }

    private async Task SendAsync(Func<ulong, TaskSpec> make, double rate)
    {
        var begin = Stopwatch.GetTimestamp();
        using var tick = double.IsFinite(rate) ? new PeriodicTimer(TimeSpan.FromMilliseconds(2)) : null;
        try
        {
            for (long sent = 0; !_enough.IsCancellationRequested;)
            {
                var due = tick is null ? sent + 32 : (long)(Stopwatch.GetElapsedTime(begin).TotalSeconds * rate);
                for (; sent < due && !_enough.IsCancellationRequested; sent++)
                    await SendOneAsync(make);
                if (tick is not null)
                    await tick.WaitForNextTickAsync(_enough.Token);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException or OrchestratorException)
        {
            // It was stopped, or its stream has ended; then the stream reports the reason.
        }
    }

    private async ValueTask SendOneAsync(Func<ulong, TaskSpec> make)
    {
        var tag = _ledger.Accept();
        lock (_mine)
            _mine.Add(tag);
        var task = make(tag);
        task.Tag = tag;
        try
        {
            await _stream.SubmitAsync(task, _enough.Token);
        }
        catch (OperationCanceledException)
        {
            // A cancelled wait has submitted nothing.
            lock (_mine)
                _mine.Remove(tag);
            _ledger.Withdraw(tag);
            throw;
        }
    }
}
