using System.Runtime.CompilerServices;
using Grpc.Core;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>
/// Reads the messages of a Connect stream. The code that waits for an outcome continues on the thread that has read it, and only after the
/// next message has got a reader of its own: so an outcome wakes one thread, and no code that takes long, or waits for another outcome,
/// holds up the others.
/// </summary>
/// <param name="responses">The stream.</param>
/// <param name="take">Takes a message, and adds what continues to the list.</param>
/// <param name="ending">Fires when the stream is given up.</param>
internal sealed class OutcomeReader(
    IAsyncStreamReader<ConnectResponse> responses, Action<ConnectResponse, List<(PendingOperation, Outcome)>> take,
    CancellationToken ending)
{
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task<bool> _read = Task.FromResult(false);

    /// <summary>Reads to the end.</summary>
    public Task RunAsync()
    {
        _read = responses.MoveNext(ending);
        OnRead();
        return _end.Task;
    }

    private void OnRead()
    {
        List<(PendingOperation Operation, Outcome Outcome)>? done = null;
        try
        {
            while (_read.IsCompleted)
            {
#pragma warning disable VSTHRD002 // It has ended.
                if (!_read.GetAwaiter().GetResult())
#pragma warning restore VSTHRD002
                {
                    _end.TrySetResult();
                    Complete(done);
                    return;
                }

                take(responses.Current, done ??= []);
                _read = responses.MoveNext(ending);
            }
        }
        catch (Exception exception)
        {
            _end.TrySetException(exception);
            Complete(done);
            return;
        }

        // From here on another thread may be in this method.
        _read.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(OnRead);
        Complete(done);
    }

    private static void Complete(List<(PendingOperation Operation, Outcome Outcome)>? done)
    {
        if (done is null)
            return;
        // Alone it continues here. Several would wait for each other, and would write their next operations one by one.
        var isAlone = Count(done) == 1;
        foreach (var (operation, outcome) in done)
            operation.Complete(outcome, isAlone);
    }

    private static int Count(List<(PendingOperation Operation, Outcome Outcome)> done)
    {
        var awaited = 0;
        foreach (var (operation, _) in done)
            awaited += operation.IsQuiet ? 0 : 1;
        return awaited;
    }
}
