using Microsoft.AspNetCore.Connections;

namespace Orchestrator.Coordinator.Security;

/// <summary>
/// Drops a connection that says nothing. The server's own timeout for headers begins with their first byte; before that it would wait for two minutes, in which
/// as many connections as are allowed at all can be held open for nothing.
/// </summary>
internal static class PrefaceTimeoutMiddleware
{
    /// <summary>How much a client of HTTP/2 says before anything else: its preface.</summary>
    public const int Http2Preface = 24;

    /// <summary>A connection middleware that waits for so many bytes, and no longer than this.</summary>
    public static Func<ConnectionDelegate, ConnectionDelegate> Within(TimeSpan limit, int bytes, TimeProvider time) => next => async connection =>
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
                // Nothing is consumed: what has come is for the server, which looks at it at once where there is enough.
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
