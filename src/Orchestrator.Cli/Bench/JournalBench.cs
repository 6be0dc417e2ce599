using System.Globalization;
using Microsoft.Data.Sqlite;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;
using Orchestrator.Client;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench;

/// <summary>
/// Acknowledged puts to a durable queue at each durability level, one at a time and many in flight; and, in the same run, SQLite with one
/// transaction per row, on a file beside the journal.
/// </summary>
internal static class JournalBench
{
    private const int PayloadBytes = 64;

    private static readonly (Durability Level, string Name)[] Levels =
        [(Durability.Memory, "memory"), (Durability.Process, "process"), (Durability.Disk, "disk")];

    public static async Task<int> RunAsync(
        OrchestratorClient client, string directory, int inFlight, TimeSpan length, Terminal terminal, CancellationToken token)
    {
        await using var session = await client.OpenSessionAsync("bench journal", cancellationToken: token);
        var plan = new RoundPlan(length, 0);
        var rows = new List<string[]>();
        foreach (var (level, name) in Levels)
        {
            var plain = level == Durability.Memory ? 0 : InsertRows(directory, level, length, token);
            foreach (var callers in (int[])[1, inFlight])
            {
                var queue = $"bench/{Guid.NewGuid():N}";
                await client.Contract.CreateQueueAsync(
                    new QueueSpec
                    {
                        Name = queue,
                        MaxItems = 100_000_000,
                        MaxBytes = 16L << 30,
                        Durability = level,
                        IdleTtl = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromSeconds(1))
                    },
                    token);
                var shared = session.Queue(queue);
                var body = Payloads.FromBytes(new byte[PayloadBytes]);
                var loop = new UnaryLoop(
                    async (_, stop) =>
                    {
                        await shared.PutAsync(body, cancellationToken: stop);
                        return null;
                    },
                    1,
                    callers);
                var result = await loop.RunAsync(plan, token);
                // Delete the queue, which is empty and unused.
                await client.ShutDownQueueAsync(queue, immediate: true, token);
                rows.Add(
                [
                    name,
                    callers.ToString(CultureInfo.InvariantCulture),
                    Format.Rate(result.PerSecond),
                    Format.Time(result.Latency.At(50)),
                    Format.Time(result.Latency.At(99)),
                    plain == 0 ? "–" : Format.Rate(plain),
                    plain == 0 ? "–" : Format.Number(result.PerSecond / plain),
                ]);
            }
        }

        terminal.WriteTable(
            [new("durability"), new("in flight", true), new("puts/s", true), new("p50", true), new("p99", true), new("SQLite rows/s", true),
                new("ratio", true)], rows);
        return ExitCode.Ok;
    }

    /// <summary>One row per transaction, by one thread, with the journal's own settings.</summary>
    private static double InsertRows(string directory, Durability level, TimeSpan length, CancellationToken token)
    {
        var path = Path.Combine(directory, $"bench-{Guid.NewGuid():N}.db");
        try
        {
            using var connection = new SqliteConnection(
                new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
            connection.Open();
            Execute(connection, "pragma journal_mode = wal");
            Execute(connection, "pragma wal_autocheckpoint = 4000");
            Execute(connection, level == Durability.Disk ? "pragma synchronous = full" : "pragma synchronous = normal");
            Execute(connection, "create table frames(position integer primary key, data blob not null)");
            using var insert = connection.CreateCommand();
            insert.CommandText = "insert into frames(data) values($data)";
            insert.Parameters.AddWithValue("$data", new byte[PayloadBytes]);
            insert.Prepare();
            var watch = System.Diagnostics.Stopwatch.StartNew();
            var rows = 0L;
            for (; watch.Elapsed < length; rows++)
            {
                token.ThrowIfCancellationRequested();
                insert.ExecuteNonQuery();
            }

            return rows / watch.Elapsed.TotalSeconds;
        }
        finally
        {
            foreach (var suffix in (string[])["", "-wal", "-shm"])
                File.Delete(path + suffix);
        }
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
