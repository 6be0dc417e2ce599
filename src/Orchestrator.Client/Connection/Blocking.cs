namespace Orchestrator.Client.Connection;

/// <summary>
/// Waits on the calling thread. What completes a call never needs that thread: answers are read by threads of the client's own, or by those
/// of gRPC, and nothing in the client returns to a synchronization context.
/// </summary>
internal static class Blocking
{
#pragma warning disable VSTHRD002 // See above.
    public static void Wait(Task task) => task.GetAwaiter().GetResult();

    public static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();

    public static void Wait(ValueTask task)
    {
        if (task.IsCompletedSuccessfully)
            task.GetAwaiter().GetResult();
        else
            Wait(task.AsTask());
    }

    private static T Wait<T>(ValueTask<T> task) => task.IsCompletedSuccessfully ? task.Result : Wait(task.AsTask());
#pragma warning restore VSTHRD002

    /// <summary>Yields what a stream yields, as it comes.</summary>
    public static IEnumerable<T> Enumerate<T>(IAsyncEnumerable<T> stream)
    {
        var items = stream.GetAsyncEnumerator();
        try
        {
            while (Wait(items.MoveNextAsync()))
                yield return items.Current;
        }
        finally
        {
            Wait(items.DisposeAsync());
        }
    }
}
