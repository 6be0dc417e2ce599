namespace Orchestrator.Core.Objects;

/// <summary>A value that crosses processes, as the engine sees it: something that it keeps and hands on, and never looks into.</summary>
/// <param name="Body">The value. Immutable once it is here, since it is shared by whoever keeps it.</param>
/// <param name="Bytes">What it counts for, in bytes; at least 0.</param>
public readonly record struct Content(object Body, int Bytes);
