using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Orchestrator.Protocol;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>
/// One line per event, for people: <c>HH:mm:ss warn: message</c>. The coordinator's own messages name their subject, so their category is
/// omitted; messages of libraries keep theirs. An exception's messages follow; its stack, which may reveal internals, only with --verbose.
/// </summary>
internal sealed class PlainConsoleFormatter(TimeProvider time, CoordinatorOptions options) : ConsoleFormatter(FormatterName)
{
    /// <summary>The name under which the console logger finds this formatter.</summary>
    public const string FormatterName = "plain";

    private const string OwnPrefix = "Orchestrator.";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        if (ClientNoise.Is(logEntry))
            return;
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        textWriter.Write(string.Create(CultureInfo.InvariantCulture, $"{time.GetLocalNow():HH:mm:ss} {Word(logEntry.LogLevel)}: "));
        if (!logEntry.Category.StartsWith(OwnPrefix, StringComparison.Ordinal))
            textWriter.Write(logEntry.Category + ": ");
        textWriter.WriteLine(VisibleText.Line(message.ReplaceLineEndings(" ")));
        if (logEntry.Exception is not { } exception)
            return;
        foreach (var line in (options.Verbose ? exception.ToString() : Messages(exception)).EnumerateLines())
        {
            textWriter.Write("         ");
            textWriter.WriteLine(VisibleText.Line(line.ToString()));
        }
    }

    private static string Messages(Exception exception)
    {
        var text = $"{exception.GetType().Name}: {exception.Message}";
        return exception.InnerException is { } inner ? $"{text} ← {Messages(inner)}" : text;
    }

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        _ => "crit",
    };
}
