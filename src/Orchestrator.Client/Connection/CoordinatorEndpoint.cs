using System.Text.Json;
using Orchestrator.Contracts;

namespace Orchestrator.Client;

/// <summary>An address and a token, and where each was found, so that an error can say what to mend.</summary>
internal sealed record CoordinatorEndpoint(Uri Address, string AddressSource, string? Token, string TokenSource)
{
    /// <summary>Looks in the options, the environment and the data directory, in this order.</summary>
    /// <exception cref="CoordinatorUnavailableException">No address is given, and no coordinator has left one.</exception>
    public static CoordinatorEndpoint Locate(OrchestratorClientOptions options)
    {
        var directory = options.DataDirectory is { Length: > 0 } named
            ? Path.GetFullPath(named)
            : ProtocolConstants.DefaultDataDirectory();
        var (address, addressSource) = LocateAddress(options, directory);
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https" or "unix"))
        {
            throw new CoordinatorUnavailableException(
                $"'{address}' ({addressSource}) is not an address such as http://127.0.0.1:7600, or unix:/path/of/a.socket.", null);
        }

        var (token, tokenSource) = LocateToken(options, directory);
        return new CoordinatorEndpoint(uri, addressSource, token, tokenSource);
    }

    private static (string Address, string Source) LocateAddress(OrchestratorClientOptions options, string directory)
    {
        if (!string.IsNullOrEmpty(options.Endpoint))
            return (options.Endpoint, "given explicitly");
        var variable = Environment.GetEnvironmentVariable(OrchestratorClientOptions.EndpointVariable);
        // A named data directory is more explicit than a variable that may be left over from another shell.
        if (!string.IsNullOrEmpty(variable) && string.IsNullOrEmpty(options.DataDirectory))
            return (variable, $"from {OrchestratorClientOptions.EndpointVariable}");

        if (directory.Length == 0)
        {
            throw new CoordinatorUnavailableException(
                $"There is no home directory here in which a coordinator would have left its address. Name its data directory with --data-dir or {ProtocolConstants.DataDirectoryVariable}, "
                + $"or its address with --endpoint or {OrchestratorClientOptions.EndpointVariable}.",
                null);
        }

        var file = Path.Combine(directory, ProtocolConstants.EndpointFileName);
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            return (document.RootElement.GetProperty("grpc").GetString() ?? "", $"from {file}");
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CoordinatorUnavailableException(
                $"No coordinator is running here: {file} does not exist. Start one with 'orchestrator serve', or name " +
                $"one with --endpoint or {OrchestratorClientOptions.EndpointVariable}.",
                exception);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException
                                              or IOException or UnauthorizedAccessException)
        {
            throw new CoordinatorUnavailableException($"{file} cannot be read: {exception.Message}", exception);
        }
    }

    private static (string? Token, string Source) LocateToken(OrchestratorClientOptions options, string directory)
    {
        if (!string.IsNullOrEmpty(options.Token))
            return (options.Token, "given explicitly");
        var variable = Environment.GetEnvironmentVariable(OrchestratorClientOptions.TokenVariable);
        if (!string.IsNullOrEmpty(variable) && string.IsNullOrEmpty(options.DataDirectory))
            return (variable, $"from {OrchestratorClientOptions.TokenVariable}");

        if (directory.Length == 0)
            return (null, "none was given, and there is no home directory in which to look for one");
        var file = Path.Combine(directory, ProtocolConstants.TokenFileName);
        try
        {
            return (File.ReadAllText(file).Trim(), $"from {file}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Not an error yet: the coordinator may want none. If it does, the message names this.
            return (null, $"none was given, and {file} cannot be read");
        }
    }
}
