namespace Orchestrator.Cli.Common;

/// <summary>The command line is invalid; reported without a stack trace, exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message);
