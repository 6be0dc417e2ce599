using System.Globalization;

namespace Orchestrator.TestKit.History;

/// <summary>Combines the recorded steps of all clients into one history.</summary>
public static class HistoryLog
{
    /// <summary>Reads the records of all clients in a folder.</summary>
    public static IReadOnlyList<HistoryOperation> Read(string directory) =>
        [.. Directory.EnumerateFiles(directory, "*" + HistoryRecorder.Extension).SelectMany(ReadClient)
            .OrderBy(operation => operation.Invoked)];

    /// <summary>
    /// The operations on one object, with the ends of sessions that had something of it to release. Without these ends, an object that
    /// keeps a dead session's holds would be accepted.
    /// </summary>
    /// <param name="history">Of all objects.</param>
    /// <param name="objectName">The object.</param>
    /// <param name="model">Its model.</param>
    /// <param name="ended">The clients whose sessions ended, and when that was known.</param>
    public static IReadOnlyList<HistoryOperation> Of<TState>(
        IReadOnlyList<HistoryOperation> history, string objectName, HistoryModel<TState> model, IReadOnlyDictionary<string, long> ended)
        where TState : notnull
    {
        var operations = history.Where(operation => operation.Target == objectName).ToList();
        foreach (var (client, known) in ended)
        {
            if (operations.Where(operation => operation.Client == client).Sum(model.Holds) <= 0)
                continue;
            // It lived at least until it wrote its last line.
            var last = history.Where(operation => operation.Client == client).Max(
                operation => operation.IsUnknown ? operation.Invoked : operation.Returned);
            operations.Add(new HistoryOperation(client, objectName, HistoryOperation.SessionEnd, "", "ended", last, known));
        }

        return operations;
    }

    private static IEnumerable<HistoryOperation> ReadClient(string path)
    {
        var client = Path.GetFileNameWithoutExtension(path);
        HistoryOperation? open = null;
        // An unterminated last line was cut off by the death of its writer: that step was not taken.
        foreach (var line in File.ReadAllText(path).Split('\n').SkipLast(1))
        {
            var fields = line.Split(HistoryRecorder.Separator);
            var stamp = long.Parse(fields[1], CultureInfo.InvariantCulture);
            if (fields[0] == HistoryRecorder.InvokeMark)
            {
                if (open is not null)
                    yield return open;
                open = new HistoryOperation(client, fields[2], fields[3], fields[4], null, stamp, long.MaxValue);
            }
            else
            {
                yield return open! with { Result = fields[2], Returned = stamp };
                open = null;
            }
        }

        if (open is not null)
            yield return open;
    }
}
