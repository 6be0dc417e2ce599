using Orchestrator.Client.Errors;

namespace Orchestrator.Client.Objects;

/// <summary>A hold that was disposed could not be released; see <see cref="CoordinationSession.ReleaseFailed"/>.</summary>
/// <param name="objectName">The object that may still be held, such as <c>locks/build</c>.</param>
/// <param name="error">Why.</param>
public sealed class ReleaseFailedEventArgs(string objectName, OrchestratorException error) : EventArgs
{
    /// <summary>The object that may still be held, such as <c>locks/build</c>.</summary>
    public string ObjectName { get; } = objectName;

    /// <summary>Why it could not be released.</summary>
    public OrchestratorException Error { get; } = error;
}
