using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Orchestrator.Handlers.Common;
using Orchestrator.Worker.Payloads;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Handlers.Cpu;

/// <summary>Hashing and compression of bytes.</summary>
internal static class ByteHandlers
{
    private const int MaxRounds = 100_000_000;
    private const int CheckMask = (1 << 12) - 1;
    private const int BufferSize = 64 * 1024;

    // RFC 1952: header, one empty final block, checksum 0, length 0.
    private static readonly byte[] PackedNothing = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    public static void Register(ITaskMap map)
    {
        map.MapTask<TaskPayload, TaskPayload>(
            "sha256", Sha256,
            new()
            {
                Description = "SHA-256 as hexadecimal digits: of a text, hashed again as often as rounds says, or of raw bytes.",
                Example = """{"text": "abc", "rounds": 1}""",
            });
        map.MapTask<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>(
            "gzip", Gzip, new() { Description = "Compresses bytes.", Example = "\"hello hello hello\"" });
        map.MapTask<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>(
            "gunzip", Gunzip, new() { Description = "Decompresses bytes, up to the payload limit." });
    }

    private static TaskPayload Sha256(TaskPayload payload, TaskContext context)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        if (payload.Kind == PayloadKind.Json)
        {
            var input = payload.ReadJson(StockJson.Default.Sha256Input);
            Check.Range("rounds", input.Rounds, 1, MaxRounds);
            SHA256.HashData(Encoding.UTF8.GetBytes(input.Text), digest);
            var token = context.CancellationToken;
            for (var round = 1; round < input.Rounds; round++)
            {
                SHA256.HashData(digest, digest);
                if ((round & CheckMask) == 0)
                    token.ThrowIfCancellationRequested();
            }
        }
        else
        {
            SHA256.HashData(payload.ReadBytes().Span, digest);
        }

        return TaskPayload.FromJson(Convert.ToHexStringLower(digest), StockJson.Default.String);
    }

    private static ReadOnlyMemory<byte> Gzip(ReadOnlyMemory<byte> input, CancellationToken cancellationToken)
    {
        // The library writes no bytes for empty input, which no reader accepts as gzip data.
        if (input.IsEmpty)
            return PackedNothing;
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Optimal, leaveOpen: true))
        {
            for (var offset = 0; offset < input.Length; offset += BufferSize)
            {
                cancellationToken.ThrowIfCancellationRequested();
                gzip.Write(input.Span.Slice(offset, Math.Min(BufferSize, input.Length - offset)));
            }
        }

        return output.ToArray();
    }

    private static ReadOnlyMemory<byte> Gunzip(ReadOnlyMemory<byte> input, TaskContext context)
    {
        var cancellationToken = context.CancellationToken;
        using var gzip = new GZipStream(new MemoryStream(input.ToArray()), CompressionMode.Decompress);
        using var output = new MemoryStream();
        var buffer = new byte[BufferSize];
        try
        {
            int count;
            while ((count = gzip.Read(buffer)) > 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                output.Write(buffer, 0, count);
                // A kilobyte may unpack to a gigabyte: stop at the limit.
                if (output.Length > context.MaxPayloadBytes)
                    throw new PayloadTooLargeException("the unpacked output of 'gunzip', so far,", output.Length, context.MaxPayloadBytes);
            }
        }
        catch (InvalidDataException e)
        {
            throw new InvalidInputException("", "must be gzip data: " + e.Message, e);
        }

        if (input.IsEmpty)
            throw new InvalidInputException("must be gzip data, got nothing");
        return output.ToArray();
    }
}
