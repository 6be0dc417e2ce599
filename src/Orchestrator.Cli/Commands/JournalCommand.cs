using System.CommandLine;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;
using Orchestrator.Coordinator.Journal;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator journal</c></summary>
internal static class JournalCommand
{
    public static Command Create() =>
        new("journal", "Works on the journal of durable objects and tasks in the data directory (--data-dir).")
    {
        CreateVerify(), CreateDump(), CreateCompact(), CreateAccept(),
    };

    private static Command CreateVerify() =>
        new Command(
            "verify",
            "Reads the whole journal and checks every record and page, also while its coordinator runs. If it is damaged, says where and " +
            "exits with 1.")
            .Examples("orchestrator journal verify", "orchestrator journal verify --data-dir /var/lib/orchestrator")
            .HandledBy((context, _) =>
            {
                var report = JournalTool.Verify(DirectoryOf(context));
                if (context.Terminal.IsJson)
                {
                    context.Terminal.WriteJson(new
                    {
                        journal = report.Path,
                        last_record = report.LastPosition,
                        records = report.Records,
                        record_bytes = report.RecordBytes,
                        snapshot_bytes = report.SnapshotBytes,
                        queues = report.Queues,
                        items = report.Items,
                        state_objects = report.StateObjects,
                        tasks = report.Tasks,
                        unfinished_tasks = report.UnfinishedTasks,
                    });
                    return Task.FromResult(ExitCode.Ok);
                }

                context.Terminal.WriteTable(
                    [new("journal"), new(report.Path)],
                    [
                        ["last record", Format.Count((long)report.LastPosition)],
                        ["records after the snapshot", $"{Format.Count(report.Records)} of {Format.Count(report.RecordBytes)} bytes"],
                        ["snapshot", $"{Format.Count(report.SnapshotBytes)} bytes"],
                        ["queues", $"{Format.Count(report.Queues)} with {Format.Count(report.Items)} items"],
                        ["dicts, lists, values, arrays", Format.Count(report.StateObjects)],
                        ["tasks", $"{Format.Count(report.Tasks)}, of which {Format.Count(report.UnfinishedTasks)} are unfinished"],
                    ]);
                return Task.FromResult(ExitCode.Ok);
            });

    private static Command CreateDump() =>
        new Command("dump", "Prints the journal's records as JSON, one per line, the snapshot's first; also while its coordinator runs.")
            .Examples("orchestrator journal dump", "orchestrator journal dump | grep '\"taskEnded\"'")
            .HandledBy((context, _) =>
            {
                JournalTool.Dump(DirectoryOf(context), context.Terminal.Line);
                return Task.FromResult(ExitCode.Ok);
            });

    private static Command CreateCompact() =>
        new Command(
            "compact", "Writes a snapshot, drops the records that it contains and frees the space. Its coordinator must have stopped.")
            .Examples("orchestrator journal compact")
            .HandledBy((context, _) =>
            {
                var (before, after) = JournalTool.Compact(DirectoryOf(context));
                if (context.Terminal.IsJson)
                    context.Terminal.WriteJson(new { bytes_before = before, bytes_now = after });
                else
                    context.Terminal.Line($"{Format.Count(before)} bytes before, {Format.Count(after)} bytes now");
                return Task.FromResult(ExitCode.Ok);
            });

    private static Command CreateAccept() =>
        new Command(
            "accept",
            "Accepts the readable part of a journal that is refused because its end is lost. Copy its files first, since unreadable " +
            "records are discarded. Its coordinator must have stopped.")
            .Examples("orchestrator journal accept")
            .HandledBy((context, _) =>
            {
                var last = JournalTool.Accept(DirectoryOf(context));
                if (context.Terminal.IsJson)
                    context.Terminal.WriteJson(new { last_record = last });
                else
                    context.Terminal.Line($"the journal now ends with record {Format.Count((long)last)}");
                return Task.FromResult(ExitCode.Ok);
            });

    private static string DirectoryOf(CommandContext context)
    {
        var directory = context.NamedDirectory();
        return Directory.Exists(directory)
            ? directory
            : throw new UsageException(
                $"there is no directory '{directory}'; --data-dir must name the data directory of a coordinator, where it keeps its " +
                "journal.");
    }
}
