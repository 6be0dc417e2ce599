using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>
/// One JSON object per event and line, for log collectors: <c>time</c> (UTC, RFC 3339), <c>level</c>, <c>category</c>, <c>event</c>,
/// <c>message</c>, <c>exception</c>, and the values of the message's placeholders under <c>fields</c>.
/// </summary>
/// <remarks>The library's own formatter would also write the events that <see cref="ClientNoise"/> drops.</remarks>
internal sealed class JsonLineFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    /// <summary>The name under which the console logger finds this formatter.</summary>
    public const string FormatterName = "json-lines";

    private const string Template = "{OriginalFormat}";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        if (ClientNoise.Is(logEntry))
            return;
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("time", time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            json.WriteString("level", logEntry.LogLevel.ToString().ToLowerInvariant());
            json.WriteString("category", logEntry.Category);
            if (logEntry.EventId.Name is { } name)
                json.WriteString("event", name);
            json.WriteString("message", logEntry.Formatter(logEntry.State, logEntry.Exception));
            if (logEntry.Exception is { } exception)
                json.WriteString("exception", exception.ToString());
            WriteFields(json, logEntry.State);
            json.WriteEndObject();
        }

        textWriter.WriteLine(Encoding.UTF8.GetString(bytes.WrittenSpan));
    }

    private static void WriteFields<TState>(Utf8JsonWriter json, TState state)
    {
        if (state is not IEnumerable<KeyValuePair<string, object?>> pairs)
            return;
        var begun = false;
        foreach (var (key, value) in pairs)
        {
            if (key == Template)
                continue;
            if (!begun)
                json.WriteStartObject("fields");
            begun = true;
            json.WriteString(key, Convert.ToString(value, CultureInfo.InvariantCulture));
        }

        if (begun)
            json.WriteEndObject();
    }
}
