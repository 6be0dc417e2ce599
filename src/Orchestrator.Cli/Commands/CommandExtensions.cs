using System.CommandLine;
using System.Text.Json;
using Grpc.Core;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;

namespace Orchestrator.Cli.Commands;

/// <summary>Extensions that build verbs.</summary>
internal static class CommandExtensions
{
    /// <summary>Runs the verb inside the handler that maps errors to messages and exit codes.</summary>
    public static Command HandledBy(this Command command, Func<CommandContext, CancellationToken, Task<int>> run)
    {
        command.SetAction((parsed, token) => GuardAsync(new CommandContext(parsed), run, token));
        return command;
    }

    /// <summary>Adds options that are defined elsewhere.</summary>
    public static Command With(this Command command, IEnumerable<Option> options)
    {
        foreach (var option in options)
            command.Options.Add(option);
        return command;
    }

    /// <summary>Adds examples to the end of the verb's help.</summary>
    public static Command Examples(this Command command, params string[] lines)
    {
        ExamplesHelp.Register(command, lines);
        return command;
    }

    private static async Task<int> GuardAsync(
        CommandContext context, Func<CommandContext, CancellationToken, Task<int>> run, CancellationToken token)
    {
        try
        {
            return await run(context, token);
        }
        catch (Exception) when (token.IsCancellationRequested)
        {
            // An interrupted call may end with any error, not always with a cancellation.
            return ExitCode.Interrupted;
        }
        catch (Exception exception) when (CodeOf(exception) is { } code)
        {
            var reason = exception is OrchestratorException { Reason: not FailureReason.Unspecified } known
                ? $" [{Format.Reason((V1.ErrorReason)known.Reason)}]"
                : "";
            context.Terminal.Error($"orchestrator: {exception.Message}{reason}");
            return code;
        }
    }

    private static int? CodeOf(Exception exception) => exception switch
    {
        UsageException or JsonException => ExitCode.Usage,
        CoordinatorUnavailableException => ExitCode.CannotConnect,
        AccessDeniedException => ExitCode.NotAllowed,
        OrchestratorException { StatusCode: StatusCode.InvalidArgument } => ExitCode.Usage,
        OrchestratorException or IOException or UnauthorizedAccessException => ExitCode.TaskFailed,
        _ => null,
    };
}
