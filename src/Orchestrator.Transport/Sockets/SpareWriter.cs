namespace Orchestrator.Transport.Sockets;

/// <summary>Keeps a connection's writer for its next frames, once its last ones have left.</summary>
internal sealed class SpareWriter
{
    private FrameWriter? _spare;

    /// <summary>An empty writer.</summary>
    public FrameWriter Take() => Interlocked.Exchange(ref _spare, null) ?? new FrameWriter();

    /// <summary>Keeps a writer once its frames are sent. After a send that failed the connection is closed, and needs none.</summary>
    /// <param name="writer">The writer, which is not used otherwise from now on.</param>
    /// <param name="sending">Its send.</param>
    public void Return(FrameWriter writer, Task sending)
    {
        if (sending.IsCompletedSuccessfully)
            Keep(writer);
        else
            _ = KeepOnceSentAsync(writer, sending);
    }

    private void Keep(FrameWriter writer)
    {
        writer.Clear();
        Volatile.Write(ref _spare, writer);
    }

    private async Task KeepOnceSentAsync(FrameWriter writer, Task sending)
    {
        await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (sending.IsCompletedSuccessfully)
            Keep(writer);
    }
}
