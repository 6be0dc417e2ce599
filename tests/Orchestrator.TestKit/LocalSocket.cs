using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Local.V1;
using Orchestrator.Transport.Sockets;

namespace Orchestrator.TestKit;

/// <summary>A connection to a coordinator's local transport, frame by frame: what no client of the SDK would do.</summary>
public sealed class LocalSocket : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    private LocalSocket()
    {
    }

    /// <summary>Connects.</summary>
    public static async Task<LocalSocket> ConnectAsync(CoordinatorProcess coordinator)
    {
        ArgumentNullException.ThrowIfNull(coordinator);
        var connection = new LocalSocket();
        await connection._socket.ConnectAsync(new UnixDomainSocketEndPoint(PathOf(coordinator)));
        return connection;
    }

    /// <summary>The socket's path.</summary>
    public static string PathOf(CoordinatorProcess coordinator)
    {
        ArgumentNullException.ThrowIfNull(coordinator);
        using var endpoint = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(coordinator.DataDirectory, "endpoint.json")));
        return endpoint.RootElement.GetProperty("local_transport").GetProperty("socket").GetString()!;
    }

    /// <summary>The frames of a whole unary call.</summary>
    public static byte[] Call(string method, string? token, IMessage request, TimeSpan? timeout = null) =>
        [.. Open(method, token, timeout), .. Frame(0, request.ToByteArray()), .. Frame(17, [])];

    /// <summary>The frame that opens a call.</summary>
    public static byte[] Open(string method, string? token, TimeSpan? timeout = null)
    {
        var call = new LocalCall { Method = method, Authorization = token is null ? "" : $"Bearer {token}" };
        if (timeout is { } limit)
            call.Timeout = Duration.FromTimeSpan(limit);
        return Frame(16, call.ToByteArray());
    }

    /// <summary>A frame.</summary>
    public static byte[] Frame(byte kind, byte[] content)
    {
        ArgumentNullException.ThrowIfNull(content);
        var frame = new byte[FrameBuffer.HeadBytes + content.Length];
        frame[0] = kind;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), content.Length);
        content.CopyTo(frame, FrameBuffer.HeadBytes);
        return frame;
    }

    /// <summary>Sends bytes.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await _socket.SendAsync(bytes)..];
    }

    /// <summary>The next frame; null once the coordinator has closed the connection.</summary>
    public async Task<(byte Kind, byte[] Content)?> ReceiveAsync()
    {
        var head = new byte[FrameBuffer.HeadBytes];
        if (!await FillAsync(head))
            return null;
        var content = new byte[BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1))];
        return await FillAsync(content) ? (head[0], content) : null;
    }

    /// <summary>The status of a call, whatever messages come before it.</summary>
    public async Task<Google.Rpc.Status> StatusAsync()
    {
        while (await ReceiveAsync() is var (kind, content))
        {
            if (kind == 18)
                return Google.Rpc.Status.Parser.ParseFrom(content);
        }

        throw new EndOfStreamException("the coordinator closed the connection before a status");
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private async Task<bool> FillAsync(Memory<byte> buffer)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!buffer.IsEmpty)
        {
            int count;
            try
            {
                count = await _socket.ReceiveAsync(buffer, limit.Token);
            }
            catch (SocketException)
            {
                return false;
            }

            if (count == 0)
                return false;
            buffer = buffer[count..];
        }

        return true;
    }
}
