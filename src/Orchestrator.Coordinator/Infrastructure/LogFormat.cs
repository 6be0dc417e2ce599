namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>The form of a coordinator's log on the console.</summary>
public enum LogFormat
{
    /// <summary>A line per event, for people.</summary>
    Text,

    /// <summary>A JSON object per line, for log collectors.</summary>
    Json,
}
