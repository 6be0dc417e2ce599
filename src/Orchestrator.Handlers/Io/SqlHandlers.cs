using System.Buffers;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Orchestrator.Contracts;
using Orchestrator.Worker;
using SQLitePCL;

namespace Orchestrator.Handlers;

/// <summary>Reads SQLite databases below allowed directories.</summary>
internal static class SqlHandlers
{
    private const int LimitAttached = 7;
    private const int Interrupted = 9;

    public static void Register(ITaskMap map, StockHandlerOptions options)
    {
        var paths = new AllowedPaths(options.AllowedDirectories);
        map.MapPayload(
            "sql_query", TaskKind.Io, (payload, context) => new(Query(paths, payload, context)),
            "Runs a query on a SQLite file below an allowed directory, read-only; answers with an array of rows as objects.",
            """{"database": "/srv/data/shop.db", "sql": "select 1 as one"}""");
    }

    private static TaskPayload Query(AllowedPaths paths, TaskPayload payload, TaskContext context)
    {
        var input = payload.ReadJson(StockJson.Default.SqlInput);
        var path = paths.Resolve("database", input.Database);
        var token = context.CancellationToken;
        using var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        try
        {
            connection.Open();
            // ATTACH and VACUUM INTO would reach files outside the list, whatever the mode of this one.
            raw.sqlite3_limit(connection.Handle, LimitAttached, 0);
            using var interrupt = token.UnsafeRegister(static state => raw.sqlite3_interrupt(((SqliteConnection)state!).Handle), connection);
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
            if (size > ProtocolConstants.MaxPayloadBytes)
                throw new PayloadTooLargeException("the rows, so far,", size);
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
