using System.Text.Json.Nodes;
using Orchestrator.Protocol;

namespace Orchestrator.Coordinator.Hosting;

/// <summary><c>endpoint.json</c>: the endpoints of a running coordinator, for scripts, the command and the SDK.</summary>
internal sealed class EndpointFile(string dataDirectory) : IDisposable
{
    private readonly string _path = Path.Combine(dataDirectory, ProtocolConstants.EndpointFileName);

    /// <summary>Writes the file.</summary>
    /// <param name="grpc">The gRPC address.</param>
    /// <param name="http">The HTTP address.</param>
    /// <param name="local">The Unix socket.</param>
    /// <param name="localTransport">The socket of the local transport.</param>
    /// <param name="localConnections">The most connections of one process to it.</param>
    /// <param name="certificate">The certificate that the coordinator made for itself; null if it did not.</param>
    public void Write(string grpc, string http, string local, string localTransport, int localConnections, string? certificate)
    {
        var content = new JsonObject
        {
            ["grpc"] = grpc,
            ["http"] = http,
            ["local"] = local,
            ["local_transport"] = new JsonObject { ["socket"] = localTransport, ["connections"] = localConnections },
            ["pid"] = Environment.ProcessId,
        };
        if (certificate is not null)
            content["ca"] = certificate;
        // Written atomically: a reader never sees a partial file.
        var temporary = $"{_path}.{Environment.ProcessId}";
        File.WriteAllText(temporary, content.ToJsonString() + "\n");
        File.Move(temporary, _path, overwrite: true);
    }

    public void Dispose()
    {
        try
        {
            // Another coordinator may have taken over the directory since.
            if (File.Exists(_path) && JsonNode.Parse(File.ReadAllText(_path))?["pid"]?.GetValue<int>() == Environment.ProcessId)
                File.Delete(_path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or System.Text.Json.JsonException
            or InvalidOperationException or FormatException or ArgumentException)
        {
            // A stale file names a dead pid, which every reader checks.
        }
    }
}
