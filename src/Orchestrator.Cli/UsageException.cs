namespace Orchestrator.Cli;

/// <summary>The command line asks for something that makes no sense; shown without a stack, exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message);
