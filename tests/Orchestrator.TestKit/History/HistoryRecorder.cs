using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Orchestrator.TestKit.History;

/// <summary>
/// Writes one client's operations to its own file, each step immediately and before it is taken: the requests of a killed process are on
/// record.
/// </summary>
/// <remarks>
/// The stamps are those of the machine's monotonic clock, which all processes share. Data written to a file survives SIGKILL, since the
/// kernel has it.
/// </remarks>
public sealed class HistoryRecorder : IDisposable
{
    internal const string Extension = ".history";
    internal const char Separator = '\t';
    internal const string InvokeMark = "I";
    internal const string ReturnMark = "R";

    private readonly FileStream _file;

    /// <param name="directory">The folder of all clients' files.</param>
    /// <param name="client">The client's name; it must be unique, and is part of a file name.</param>
    public HistoryRecorder(string directory, string client) =>
        _file = new FileStream(
            Path.Combine(directory, client + Extension), FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);

    /// <summary>How many operations have begun.</summary>
    public int Operations { get; private set; }

    /// <summary>Records an operation around its call. If the call throws, its result stays unknown.</summary>
    public async Task<T> RecordAsync<T>(string objectName, string kind, string argument, Func<Task<T>> call, Func<T, string> result)
    {
        Operations++;
        Write(InvokeMark, Stopwatch.GetTimestamp().ToString(CultureInfo.InvariantCulture), objectName, kind, argument);
        var value = await call();
        Write(ReturnMark, Stopwatch.GetTimestamp().ToString(CultureInfo.InvariantCulture), result(value));
        return value;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void Write(params string[] fields) => _file.Write(Encoding.UTF8.GetBytes(string.Join(Separator, fields) + "\n"));
}
