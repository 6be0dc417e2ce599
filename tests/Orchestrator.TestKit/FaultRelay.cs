using System.Net;
using System.Net.Sockets;

namespace Orchestrator.TestKit;

/// <summary>
/// A TCP relay in front of a coordinator that simulates network faults: it cuts connections (both sides see a reset, data in flight is
/// lost), also in the middle of a message, delays bytes, or drops them while the connections look open.
/// </summary>
public sealed class FaultRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Uri _target;
    private readonly CancellationTokenSource _ending = new();
    private readonly Lock _gate = new();
    private readonly HashSet<Socket> _open = [];
    private readonly Task _accepting;
    private long _bytesUntilCut = long.MaxValue;
    private int _cutsByBytes;
    private long _relayed;
    private TaskCompletionSource _flowing = Flowing();

    /// <param name="target">Such as <c>http://127.0.0.1:7600</c>.</param>
    public FaultRelay(string target)
    {
        _target = new Uri(target);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>The address to connect to instead.</summary>
    public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>How long every chunk of bytes is held back, in both directions.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>How many bytes were relayed.</summary>
    public long Relayed => Interlocked.Read(ref _relayed);

    /// <summary>How many cuts <see cref="CutAfter"/> has caused.</summary>
    public int CutsByBytes => Volatile.Read(ref _cutsByBytes);

    /// <summary>
    /// Cuts the connection that relays the given byte, counted from now, right after it: most likely in the middle of a message.
    /// </summary>
    public void CutAfter(long bytes) => Interlocked.Exchange(ref _bytesUntilCut, bytes);

    /// <summary>From now on nothing passes, and neither side is notified: both see an open connection without traffic.</summary>
    public void Silence()
    {
        lock (_gate)
            _flowing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Delivers the data that was held up.</summary>
    public void Resume()
    {
        lock (_gate)
            _flowing.TrySetResult();
    }

    /// <summary>Cuts all connections that are open now; new ones pass. Returns the number of cuts.</summary>
    public int CutAll()
    {
        Socket[] open;
        lock (_gate)
        {
            open = [.. _open];
            _open.Clear();
        }

        foreach (var socket in open)
            Reset(socket);
        return open.Length / 2;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Stop();
        CutAll();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listener.Dispose();
        _ending.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var client = await _listener.AcceptSocketAsync(_ending.Token);
            var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            lock (_gate)
            {
                _open.Add(client);
                _open.Add(server);
            }

            _ = RelayAsync(client, server);
        }
    }

    private async Task RelayAsync(Socket client, Socket server)
    {
        try
        {
            await server.ConnectAsync(_target.Host, _target.Port, _ending.Token);
            client.NoDelay = server.NoDelay = true;
            await Task.WhenAny(CopyAsync(client, server), CopyAsync(server, client));
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Cut, or closed by one side: either ends both.
        }

        lock (_gate)
        {
            _open.Remove(client);
            _open.Remove(server);
        }

        Reset(client);
        Reset(server);
    }

    private async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _ending.Token) is > 0 and var count)
            {
                await HoldBackAsync();
                var left = Interlocked.Add(ref _bytesUntilCut, -count) + count;
                var cut = left > 0 && left <= count;
                var most = cut ? (int)left : count;
                for (var sent = 0; sent < most;)
                    sent += await to.SendAsync(buffer.AsMemory(sent, most - sent), _ending.Token);
                Interlocked.Add(ref _relayed, most);
                if (cut)
                {
                    Interlocked.Increment(ref _cutsByBytes);
                    return;
                }
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // As above.
        }
    }

    private async Task HoldBackAsync()
    {
        if (Delay > TimeSpan.Zero)
            await Task.Delay(Delay, TimeProvider.System, _ending.Token);
        Task flowing;
        lock (_gate)
            flowing = _flowing.Task;
        await flowing.WaitAsync(_ending.Token);
    }

    private static TaskCompletionSource Flowing()
    {
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        open.SetResult();
        return open;
    }

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Closed already.
        }

        socket.Dispose();
    }
}
