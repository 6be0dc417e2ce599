namespace Orchestrator.Core.Kernel;

/// <summary>A value that crosses processes, as the engine sees it: the engine stores and forwards it and never inspects it.</summary>
/// <param name="Body">The value. Immutable once passed to the engine, since all its holders share it.</param>
/// <param name="Bytes">The size that it is accounted with, in bytes; at least 0.</param>
public readonly record struct Content(object Body, int Bytes);
