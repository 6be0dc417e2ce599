using System.Text.Json.Serialization;

namespace Orchestrator.Dashboard;

/// <summary>What is sent to /login.</summary>
internal sealed record LoginRequest(string? Code, string? Token);

/// <summary>The answer of /session.</summary>
internal sealed record SessionAnswer(string Name, string Role);

/// <summary>An error, in the shape of the Connect protocol.</summary>
internal sealed record ErrorAnswer(string Code, string Message, string? Reason);

/// <summary>An error at the end of a stream of answers.</summary>
internal sealed record StreamErrorAnswer(ErrorAnswer Error);

/// <summary>What the page says it needs of the feed.</summary>
internal sealed record FeedRequest(bool Spans, int IntervalMs);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LoginRequest))]
[JsonSerializable(typeof(SessionAnswer))]
[JsonSerializable(typeof(ErrorAnswer))]
[JsonSerializable(typeof(StreamErrorAnswer))]
[JsonSerializable(typeof(FeedRequest))]
internal sealed partial class DashboardJson : JsonSerializerContext;
