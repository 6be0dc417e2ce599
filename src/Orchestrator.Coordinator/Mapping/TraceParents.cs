using System.Diagnostics;
using Orchestrator.Protocol;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>W3C trace contexts (w3.org/TR/trace-context) of tasks and calls.</summary>
internal static class TraceParents
{
    /// <summary>That of a task, or of its call; null if neither has one.</summary>
    /// <param name="given">What the task says; may be empty.</param>
    /// <param name="ofCall">That of the call.</param>
    /// <param name="field">The task's path in the request.</param>
    /// <param name="violations">Gets what is wrong.</param>
    public static string? Read(string given, string? ofCall, string field, ref List<Violation>? violations)
    {
        if (given.Length == 0)
            return ofCall;
        if (FieldLimits.OfText(given, ProtocolConstants.TraceParentHeader, $"{field}.traceparent") is { } tooLong)
        {
            (violations ??= []).Add(tooLong);
            return null;
        }

        if (IsValid(given))
            return given;
        (violations ??= []).Add(new Violation(
            $"{field}.traceparent",
            $"'{VisibleText.Line(given)}' is no W3C trace context, such as " +
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        return null;
    }

    /// <summary>Whether it follows the standard.</summary>
    public static bool IsValid(string given) => ActivityContext.TryParse(given, null, out _);
}
