using System.Globalization;
using System.Text.Json;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker.Hosting;

/// <summary>
/// Reads a <see cref="WorkerLaunch"/> from protobuf JSON: camelCase or original names, 64-bit integers also as strings, unknown fields
/// skipped. Hand-written, since protobuf's own parser loads every descriptor of the contract by reflection: that alone takes 70 ms, a third
/// of a worker's start.
/// </summary>
internal static class LaunchContractParser
{
    /// <summary>Null if the text is no launch order.</summary>
    public static WorkerLaunch? Parse(ReadOnlySpan<byte> utf8)
    {
        var launch = new WorkerLaunch();
        try
        {
            var reader = new Utf8JsonReader(utf8);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!.Replace("_", "", StringComparison.Ordinal).ToUpperInvariant();
                reader.Read();
                if (!TrySet(launch, name, ref reader))
                    reader.Skip();
            }
        }
        catch (Exception e) when (e is JsonException or FormatException or OverflowException or InvalidOperationException)
        {
            return null;
        }

        return launch.Socket.Length == 0 || launch.Token.Length == 0 ? null : launch;
    }

    private static bool TrySet(WorkerLaunch launch, string name, ref Utf8JsonReader reader)
    {
        // In protobuf JSON null means the field's default.
        if (reader.TokenType == JsonTokenType.Null)
            return true;
        switch (name)
        {
            case "NAME":
                launch.Name = reader.GetString()!;
                return true;
            case "INCARNATION":
                launch.Incarnation = Integer(ref reader);
                return true;
            case "SOCKET":
                launch.Socket = reader.GetString()!;
                return true;
            case "TOKEN":
                launch.Token = reader.GetString()!;
                return true;
            case "COORDINATORADDRESS":
                launch.CoordinatorAddress = reader.GetString()!;
                return true;
            case "COORDINATORTOKEN":
                launch.CoordinatorToken = reader.GetString()!;
                return true;
            case "COORDINATORPID":
                launch.CoordinatorPid = checked((int)Integer(ref reader));
                return true;
            case "CORE":
                launch.Core = checked((int)Integer(ref reader));
                return true;
            case "BLOCKINGTHREADS":
                launch.BlockingThreads = checked((int)Integer(ref reader));
                return true;
            case "MAXCONCURRENTIO":
                launch.MaxConcurrentIo = checked((int)Integer(ref reader));
                return true;
            case "RECORDERPATH":
                launch.RecorderPath = reader.GetString()!;
                return true;
            case "COORDINATORLOCALSOCKET":
                launch.CoordinatorLocalSocket = reader.GetString()!;
                return true;
            case "MAXPAYLOADBYTES":
                launch.MaxPayloadBytes = checked((int)Integer(ref reader));
                return true;
            case "DIRECTSTREAM":
                launch.DirectStream = checked((int)Integer(ref reader));
                return true;
            default:
                return false;
        }
    }

    private static long Integer(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.String
        ? long.Parse(reader.GetString()!, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)
        : reader.GetInt64();
}
