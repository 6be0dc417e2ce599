using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Orchestrator.TestKit;

/// <summary>HTTP/2 frame by frame, which no client library sends: for tests of hostile or broken clients.</summary>
public sealed class RawHttp2 : IDisposable
{
    /// <summary>A frame's type.</summary>
    public const byte Data = 0, Headers = 1, ResetStream = 3, Settings = 4, Ping = 6, GoAway = 7, Continuation = 9;

    /// <summary>A frame's flag.</summary>
    public const byte EndStream = 1, Ack = 1, EndHeaders = 4;

    /// <summary>A reset's or a connection's end's error.</summary>
    public const int RefusedStream = 7, Cancel = 8, EnhanceYourCalm = 11;

    private static readonly byte[] Preface = Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly MemoryStream _pending = new();

    /// <summary>Connects to <c>http://127.0.0.1:PORT</c>.</summary>
    public RawHttp2(string address) => _socket.Connect(IPAddress.Loopback, new Uri(address).Port);

    /// <summary>Sends the HTTP/2 preface, with empty settings.</summary>
    public RawHttp2 Begin()
    {
        _pending.Write(Preface);
        return Frame(Settings, 0, 0, []);
    }

    /// <summary>Adds bytes of any kind.</summary>
    public RawHttp2 Bytes(ReadOnlySpan<byte> bytes)
    {
        _pending.Write(bytes);
        return this;
    }

    /// <summary>Adds a frame.</summary>
    public RawHttp2 Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        Span<byte> head = stackalloc byte[9];
        head[0] = (byte)(payload.Length >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(head[1..], (ushort)payload.Length);
        head[3] = type;
        head[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(head[5..], stream);
        _pending.Write(head);
        _pending.Write(payload);
        return this;
    }

    /// <summary>Adds the headers of a gRPC call.</summary>
    public RawHttp2 Call(int stream, string method, byte flags = EndHeaders, params (string Name, string Value)[] more) =>
        Frame(Headers, flags, stream, Encode(
        [(":method", "POST"), (":scheme", "http"), (":path", method), (":authority", "localhost"), ("content-type", "application/grpc"),
            ("te", "trailers"), .. more]));

    /// <summary>Header fields as literals that are never indexed, each shorter than 127 bytes.</summary>
    public static byte[] Encode(params (string Name, string Value)[] headers)
    {
        using var block = new MemoryStream();
        foreach (var (name, value) in headers)
        {
            block.WriteByte(0x10);
            foreach (var text in new[] { name, value })
            {
                block.WriteByte((byte)text.Length);
                block.Write(Encoding.ASCII.GetBytes(text));
            }
        }

        return block.ToArray();
    }

    /// <summary>Sends what has been added. False when the other side has closed, which is a valid outcome.</summary>
    public async Task<bool> SendAsync(CancellationToken cancellationToken)
    {
        try
        {
            var bytes = _pending.ToArray();
            _pending.SetLength(0);
            for (var sent = 0; sent < bytes.Length;)
                sent += await _socket.SendAsync(bytes.AsMemory(sent), cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Reads one frame; null when the other side has closed.</summary>
    public async Task<(byte Type, byte Flags, int Stream, byte[] Payload)?> ReadAsync(CancellationToken cancellationToken)
    {
        var head = new byte[9];
        if (!await FillAsync(head, cancellationToken))
            return null;
        var payload = new byte[(head[0] << 16) | BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(1))];
        return await FillAsync(payload, cancellationToken)
            ? (head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)) & int.MaxValue, payload)
            : null;
    }

    /// <summary>Reads until the other side closes; returns the frames.</summary>
    public async Task<IReadOnlyList<(byte Type, byte Flags, int Stream, byte[] Payload)>> ReadToEndAsync(
        CancellationToken cancellationToken)
    {
        var frames = new List<(byte, byte, int, byte[])>();
        while (await ReadAsync(cancellationToken) is { } frame)
            frames.Add(frame);
        return frames;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _pending.Dispose();
    }

    private async Task<bool> FillAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            while (buffer.Length > 0)
            {
                var count = await _socket.ReceiveAsync(buffer, cancellationToken);
                if (count == 0)
                    return false;
                buffer = buffer[count..];
            }

            return true;
        }
        catch (SocketException)
        {
            // A reset is a close, too.
            return false;
        }
    }
}
