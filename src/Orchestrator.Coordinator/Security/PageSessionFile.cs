using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Security;

/// <summary>A session of a browser as it is kept over a restart.</summary>
/// <param name="Secret">The hash of its secret.</param>
/// <param name="Client">The id of the token that it logged in with.</param>
/// <param name="Begun">When it began: a token of that id that was created later is another.</param>
/// <param name="End">When it ends.</param>
internal sealed record SavedPageSession(TokenDigest Secret, string Client, DateTimeOffset Begun, DateTimeOffset End);

/// <summary>
/// <c>page-sessions.json</c> of a data directory: browsers stay logged in over a restart of the coordinator. Only hashes are kept.
/// </summary>
internal sealed partial class PageSessionFile(string dataDirectory, ILogger logger)
{
    private readonly string _path = Path.Combine(dataDirectory, "page-sessions.json");

    /// <summary>The sessions; none from a file that cannot be used, which a warning names.</summary>
    /// <exception cref="IOException">Another user owns the file or may write it.</exception>
    public IReadOnlyList<SavedPageSession> Read()
    {
        if (!File.Exists(_path))
            return [];
        OwnedPath.CheckFile(_path, "the list of browsers that are logged in");
        try
        {
            return [.. JsonNode.Parse(File.ReadAllText(_path))!["sessions"]!.AsArray().Select(item => new SavedPageSession(
                TokenDigest.Parse((string)item!["sha256"]!) ?? throw new FormatException("sha256 is not a SHA-256 digest"),
                (string)item["client"]!,
                Time(item["begun"]!),
                Time(item["end"]!)))];
        }
        catch (Exception exception)
            when (exception is JsonException or NullReferenceException or InvalidOperationException or FormatException or ArgumentException)
        {
            LogNotRead(_path, exception.Message);
            return [];
        }
    }

    /// <summary>Replaces the file. If it cannot be written, the browsers have to log in again after a restart.</summary>
    public void Write(IEnumerable<SavedPageSession> sessions)
    {
        var list = new JsonArray([.. sessions.Select(session => (JsonNode)new JsonObject
        {
            ["sha256"] = session.Secret.ToString(),
            ["client"] = session.Client,
            ["begun"] = session.Begun.ToString("O", CultureInfo.InvariantCulture),
            ["end"] = session.End.ToString("O", CultureInfo.InvariantCulture),
        })]);
        try
        {
            OwnerOnlyFile.Write(_path, new JsonObject { ["sessions"] = list }.ToJsonString() + "\n");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogNotWritten(exception.Message);
        }
    }

    private static DateTimeOffset Time(JsonNode node) =>
        DateTimeOffset.Parse((string)node!, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Path} is damaged, so browsers have to log in again: {Cause}")]
    private partial void LogNotRead(string path, string cause);

    [LoggerMessage(Level = LogLevel.Warning, Message = "after a restart browsers will have to log in again: {Cause}")]
    private partial void LogNotWritten(string cause);
}
