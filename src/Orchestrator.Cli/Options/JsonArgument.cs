using System.Text.Json;
using Orchestrator.Cli.Common;
using Orchestrator.V1;

namespace Orchestrator.Cli.Options;

/// <summary>JSON from the command line.</summary>
internal static class JsonArgument
{
    public static Payload Parse(string text, string what)
    {
        try
        {
            return Payloads.FromJson(text);
        }
        catch (JsonException exception) when (exception.LineNumber is null)
        {
            // It is JSON with content that a payload cannot hold.
            throw new UsageException($"{what} cannot be used: {exception.Message}");
        }
        catch (JsonException exception)
        {
            throw new UsageException($"{what} is not JSON: {exception.Message} Quote it for the shell, as in '{{\"n\": 30}}'.");
        }
    }
}
