namespace Orchestrator.Core.Objects;

/// <summary>A limit in force and its current use.</summary>
/// <param name="Name">Its name, stable for programs.</param>
/// <param name="Description">What it bounds, for people.</param>
/// <param name="Maximum">The most.</param>
/// <param name="Used">How much is used now.</param>
/// <param name="Unit">The unit, such as <c>sessions</c> or <c>bytes</c>.</param>
public sealed record ObjectLimit(string Name, string Description, long Maximum, long Used, string Unit);
