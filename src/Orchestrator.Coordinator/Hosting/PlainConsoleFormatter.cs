using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>
/// One line per event, for people: <c>HH:mm:ss warn: message</c>. Our own messages say whom they concern, so that the name of a class
/// would only be in the way; those of libraries keep theirs. An exception follows, indented.
/// </summary>
internal sealed class PlainConsoleFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    /// <summary>The name that the console logger finds it by.</summary>
    public const string FormatterName = "plain";

    private const string OwnPrefix = "Orchestrator.";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        textWriter.Write(string.Create(CultureInfo.InvariantCulture, $"{time.GetLocalNow():HH:mm:ss} {Word(logEntry.LogLevel)}: "));
        if (!logEntry.Category.StartsWith(OwnPrefix, StringComparison.Ordinal))
            textWriter.Write(logEntry.Category + ": ");
        textWriter.WriteLine(message.ReplaceLineEndings(" "));
        if (logEntry.Exception is not { } exception)
            return;
        foreach (var line in exception.ToString().EnumerateLines())
        {
            textWriter.Write("         ");
            textWriter.WriteLine(line);
        }
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
