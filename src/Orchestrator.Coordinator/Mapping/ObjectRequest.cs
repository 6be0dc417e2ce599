using Orchestrator.Core.Kernel;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>A command, and the session that its request named.</summary>
/// <param name="Command">The command.</param>
/// <param name="SessionId">The session's id; empty where the request named none.</param>
internal readonly record struct ObjectRequest(ObjectCommand Command, string SessionId = "");
