using Microsoft.AspNetCore.Connections;

namespace Orchestrator.Coordinator.Security;

/// <summary>
/// Drops a connection that sends nothing. The server's own header timeout begins with the first byte; before it the server would wait for
/// two minutes, during which idle connections could use up the whole connection limit.
/// </summary>
internal static class PrefaceTimeoutMiddleware
{
    /// <summary>The size of the preface that an HTTP/2 client sends first.</summary>
    public const int Http2Preface = 24;

    /// <summary>A connection middleware that waits for this many bytes, up to this limit.</summary>
    public static Func<ConnectionDelegate, ConnectionDelegate> Within(TimeSpan limit, int bytes, TimeProvider time) =>
        next => async connection =>
    {
        if (await ComeAsync(connection, limit, bytes, time))
            await next(connection);
        else
            connection.Abort(new ConnectionAbortedException($"fewer than {bytes} bytes came within {limit.TotalSeconds:0} s"));
    };

    private static async Task<bool> ComeAsync(ConnectionContext connection, TimeSpan limit, int bytes, TimeProvider time)
    {
        using var timeout = new CancellationTokenSource(limit, time);
        try
        {
            var input = connection.Transport.Input;
            while (true)
            {
                var read = await input.ReadAsync(timeout.Token);
                var enough = read.IsCompleted || read.Buffer.Length >= bytes;
                // Nothing is consumed: the bytes are for the server, which examines them at once if there are enough.
                input.AdvanceTo(read.Buffer.Start, enough ? read.Buffer.Start : read.Buffer.End);
                if (enough)
                    return true;
            }
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception exception) when (exception is IOException or ConnectionResetException or ConnectionAbortedException)
        {
            return false;
        }
    }
}
