using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Orchestrator.Worker.Payloads;

/// <summary>A JSON writer over memory, one spare per thread, since a new one per task would be most of its garbage.</summary>
internal sealed class JsonScratch
{
    private const int KeepAtMost = 64 * 1024;

    [ThreadStatic]
    private static JsonScratch? s_spare;

    private readonly ArrayBufferWriter<byte> _buffer = new(256);

    private JsonScratch() => Writer = new Utf8JsonWriter(
        _buffer,
        new JsonWriterOptions
        {
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            SkipValidation = true,
            MaxDepth = ValueWire.MaxDepth + 2
        });

    public Utf8JsonWriter Writer { get; }

    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    /// <summary>The spare is removed while in use, so that a converter that calls back into the codec gets another.</summary>
    public static JsonScratch Rent()
    {
        var scratch = s_spare ?? new JsonScratch();
        s_spare = null;
        scratch._buffer.ResetWrittenCount();
        scratch.Writer.Reset();
        return scratch;
    }

    public void Return()
    {
        if (_buffer.Capacity <= KeepAtMost)
            s_spare = this;
    }
}
