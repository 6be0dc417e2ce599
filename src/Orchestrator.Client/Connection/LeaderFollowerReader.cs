using Grpc.Core;

namespace Orchestrator.Client.Connection;

/// <summary>
/// Reads the messages of a stream as leader and followers: the thread that has read one goes on with what was waiting for it, and only
/// after the next message has got a reader of its own. So a message wakes one thread, and no code that takes long, or waits for another
/// message, holds up the others.
/// </summary>
/// <typeparam name="TMessage">The stream's message.</typeparam>
/// <typeparam name="TItem">What continues once another thread reads.</typeparam>
/// <param name="messages">The stream.</param>
/// <param name="take">Takes a message, and adds what continues to the list. Called for one message after the other.</param>
/// <param name="proceed">Continues; several threads may be in it at once. Not called with an empty list.</param>
/// <param name="ending">Fires when the stream is given up.</param>
internal sealed class LeaderFollowerReader<TMessage, TItem>(
    IAsyncStreamReader<TMessage> messages, Action<TMessage, List<TItem>> take, Action<List<TItem>> proceed, CancellationToken ending)
{
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // Usually empty, so that a message of which nothing continues takes no list of its own.
    private List<TItem> _items = [];
    private Task<bool> _read = Task.FromResult(false);

    /// <summary>Reads to the end.</summary>
    public Task RunAsync()
    {
        _read = messages.MoveNext(ending);
        OnRead();
        return _end.Task;
    }

    private void OnRead()
    {
        try
        {
            while (_read.IsCompleted)
            {
#pragma warning disable VSTHRD002 // It has ended.
                if (!_read.GetAwaiter().GetResult())
#pragma warning restore VSTHRD002
                {
                    _end.TrySetResult();
                    Proceed(TakeItems());
                    return;
                }

                take(messages.Current, _items);
                _read = messages.MoveNext(ending);
            }
        }
        catch (Exception exception)
        {
            _end.TrySetException(exception);
            Proceed(TakeItems());
            return;
        }

        var items = TakeItems();
        // From here on another thread may be in this method.
        _read.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(OnRead);
        Proceed(items);
    }

    private List<TItem>? TakeItems()
    {
        if (_items.Count == 0)
            return null;
        var items = _items;
        _items = [];
        return items;
    }

    private void Proceed(List<TItem>? items)
    {
        if (items is not null)
            proceed(items);
    }
}
