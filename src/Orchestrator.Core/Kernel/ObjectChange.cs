namespace Orchestrator.Core.Kernel;

/// <summary>
/// A change of a durable object, to be journaled before its outcome is reported. Changes and not commands, since the effect of a command on
/// a durable object may depend on sessions, waits and timers that do not outlive the process. Immutable; times are the engine's, in ticks.
/// </summary>
public abstract record ObjectChange;

/// <summary>The outcome of a request that a caller without a session may repeat.</summary>
/// <param name="RequestId">Its id.</param>
/// <param name="Command">The type of its command.</param>
/// <param name="Outcome">The answer.</param>
/// <param name="At">When.</param>
public sealed record RequestAnswered(string RequestId, Type Command, ObjectOutcome Outcome, long At) : ObjectChange;
