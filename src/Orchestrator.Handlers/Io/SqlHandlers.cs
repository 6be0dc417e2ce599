using System.Buffers;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Orchestrator.Handlers.Common;
using Orchestrator.Worker.Payloads;
using Orchestrator.Worker.Tasks;
using SQLitePCL;

namespace Orchestrator.Handlers.Io;

/// <summary>Reads SQLite databases below allowed directories.</summary>
internal static class SqlHandlers
{
    private const int Interrupted = 9;
    private const int MaxSqlBytes = 64 * 1024;

    // One value, and all rows of an answer: they are kept as JSON, which takes several times as much.
    private const int MaxRowBytes = 4_000_000;

    // For all queries of one process together: sorting and recursion use it, and nothing goes to files.
    private const long MaxHeapBytes = 128L << 20;

    // SQLITE_LIMIT_*, and what each allows: a value, the text, columns, depth, parts of a union, ATTACH, a pattern, threads.
    private static readonly (int Limit, int Value)[] Limits =
    [
        (0, MaxRowBytes), (1, MaxSqlBytes), (2, 1_000), (3, 200), (4, 100), (7, 0), (8, 1_000), (11, 0),
    ];

    private const int ReadColumn = 20;
    private const int Select = 21;
    private const int CallFunction = 31;
    private const int Recurse = 33;

    // Less than a millisecond of a query's instructions.
    private const int StepsBetweenChecks = 10_000;
    private const int Continue = 0;
    private const int Stop = 1;

    // What a query may do: read, call functions, recurse. Anything else, such as PRAGMA or ATTACH, reaches settings or files.
    private static readonly HashSet<int> Allowed = [Select, ReadColumn, CallFunction, Recurse];

    public static void Register(ITaskMap map, StockHandlerOptions options)
    {
        var paths = new AllowedPaths(options.AllowedDirectories, options.DeniedDirectories);
        map.MapTask(
            "sql_query", (TaskPayload payload, TaskContext context) => Query(paths, payload, context),
            new()
            {
                Kind = HandlerKind.Blocking,
                Description =
                    "Runs a query on a SQLite file below an allowed directory, read-only; answers with an array of rows as objects.",
                Example = """{"database": "/srv/data/shop.db", "sql": "select 1 as one"}""",
            });
    }

    private static TaskPayload Query(AllowedPaths paths, TaskPayload payload, TaskContext context)
    {
        var input = payload.ReadJson(StockJson.Default.SqlInput);
        if (input.Sql.Length > MaxSqlBytes)
            throw new InvalidInputException("sql", $"has {input.Sql.Length:N0} characters; at most {MaxSqlBytes:N0} are allowed");
        var path = paths.Resolve("database", input.Database);
        var token = context.CancellationToken;
        using var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        try
        {
            connection.Open();
            // Checks the file that SQLite has actually opened: a link may have been swapped since the path was resolved.
            paths.CheckOpened("database", input.Database, SqliteNative.DescriptorOf(connection.Handle!));
            Restrict(connection);
            // Not sqlite3_interrupt, which does nothing to a statement that is about to begin.
            raw.sqlite3_progress_handler(
                connection.Handle, StepsBetweenChecks, _ => token.IsCancellationRequested ? Stop : Continue, null);
            using var command = connection.CreateCommand();
            command.CommandText = input.Sql;
            using var reader = command.ExecuteReader();
            return new TaskPayload(PayloadCodec.EncodeJsonText(ReadRows(reader, token)));
        }
        catch (SqliteException e) when (e.SqliteErrorCode == Interrupted && token.IsCancellationRequested)
        {
            throw new OperationCanceledException(e.Message, e, token);
        }
        catch (SqliteException e)
        {
            throw new InvalidInputException("sql", $"failed: {e.Message}", e);
        }
    }

    private static void Restrict(SqliteConnection connection)
    {
        SqliteNative.LimitHeap(MaxHeapBytes);
        using (var command = connection.CreateCommand())
        {
            command.CommandText = "pragma temp_store = memory; pragma trusted_schema = off; pragma cell_size_check = on";
            command.ExecuteNonQuery();
        }

        foreach (var (limit, value) in Limits)
            raw.sqlite3_limit(connection.Handle, limit, value);
        raw.sqlite3_set_authorizer(connection.Handle,
            (strdelegate_authorizer)(static (_, action, _, _, _, _) => Allowed.Contains(action) ? raw.SQLITE_OK : raw.SQLITE_DENY), null);
    }

    private static ReadOnlySpan<byte> ReadRows(SqliteDataReader reader, CancellationToken cancellationToken)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartArray();
        while (reader.Read())
        {
            cancellationToken.ThrowIfCancellationRequested();
            json.WriteStartObject();
            for (var i = 0; i < reader.FieldCount; i++)
            {
                json.WritePropertyName(reader.GetName(i));
                WriteCell(json, reader.GetValue(i));
            }

            json.WriteEndObject();
            var size = json.BytesCommitted + json.BytesPending;
            if (size > MaxRowBytes)
                throw new PayloadTooLargeException("the rows, so far,", size, MaxRowBytes);
        }

        json.WriteEndArray();
        json.Flush();
        return buffer.WrittenSpan;
    }

    private static void WriteCell(Utf8JsonWriter json, object cell)
    {
        switch (cell)
        {
            case long integer:
                json.WriteNumberValue(integer);
                break;
            case double number when double.IsFinite(number):
                json.WriteNumberValue(number);
                break;
            case double number:
                json.WriteStringValue(number.ToString(System.Globalization.CultureInfo.InvariantCulture));
                break;
            case string text:
                json.WriteStringValue(text);
                break;
            case byte[] bytes:
                json.WriteBase64StringValue(bytes);
                break;
            default:
                json.WriteNullValue();
                break;
        }
    }
}
