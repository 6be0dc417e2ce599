using System.Diagnostics;

namespace Orchestrator.Coordinator.Tracing;

/// <summary>
/// The spans of one traced task that began before its end: its own and those of its attempts, under which their workers' spans belong.
/// </summary>
internal sealed class TaskTrace(Activity task)
{
    private volatile Link? _last;

    /// <summary>The task's span.</summary>
    public Activity Task => task;

    /// <summary>Adds the span of an attempt; called under the engine's lock.</summary>
    public void Add(int attempt, Activity span) => _last = new Link(attempt, span, _last);

    /// <summary>The span of an attempt; null if it was never assigned while there was a listener.</summary>
    public Activity? Find(int attempt)
    {
        var link = _last;
        while (link is not null && link.Attempt != attempt)
            link = link.Earlier;
        return link?.Span;
    }

    private sealed record Link(int Attempt, Activity Span, Link? Earlier);
}
