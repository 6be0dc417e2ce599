using System.Text.Json;
using Orchestrator.Client.Errors;
using Orchestrator.Protocol;

namespace Orchestrator.Client.Connection;

/// <summary>An address and a token, and the source of each, so that an error can say what to fix.</summary>
/// <param name="Address">The gRPC address.</param>
/// <param name="AddressSource">Where it was found.</param>
/// <param name="Token">The token; null for none.</param>
/// <param name="TokenSource">Where it was found, or why there is none.</param>
internal sealed record CoordinatorEndpoint(Uri Address, string AddressSource, string? Token, string TokenSource)
{
    /// <summary>
    /// The same coordinator's Unix socket, used when its port does not answer; null unless the address came from the coordinator's own
    /// file.
    /// </summary>
    public Uri? LocalSocket { get; private init; }

    /// <summary>
    /// Where the same coordinator serves the local transport; null unless the address came from the coordinator's own file.
    /// </summary>
    public LocalTransportAddress? LocalTransport { get; private init; }

    /// <summary>
    /// The PEM file of the certificate that this coordinator made for itself; null if it did not, or the address did not come from its own
    /// file.
    /// </summary>
    public string? SelfSignedCertificate { get; private init; }

    /// <summary>Whether the client presents a certificate.</summary>
    public bool ShowsCertificate { get; init; }

    /// <summary>Looks in the options, the environment and the data directory, in this order.</summary>
    /// <exception cref="CoordinatorUnavailableException">No address is given, and no coordinator has written one.</exception>
    public static CoordinatorEndpoint Locate(OrchestratorClientOptions options)
    {
        var directory = options.DataDirectory is { Length: > 0 } named
            ? Path.GetFullPath(named)
            : ProtocolConstants.DefaultDataDirectory();
        var file = Path.Combine(directory, ProtocolConstants.EndpointFileName);
        if (Explicit(options) is not (var address, var source))
        {
            if (directory.Length == 0)
            {
                throw new CoordinatorUnavailableException(
                    "There is no home directory here in which a coordinator would have left its address. Name its data directory with " +
                    $"--data-dir or {ProtocolConstants.DataDirectoryVariable}, "
                    + $"or its address with --endpoint or {OrchestratorClientOptions.EndpointVariable}.",
                    null);
            }

            var (grpc, local, transport, certificate) = ReadFile(file);
            var (token, tokenSource) = LocateToken(options, directory);
            return new CoordinatorEndpoint(Parse(grpc, $"from {file}"), $"from {file}", token, tokenSource)
            {
                LocalSocket = local is not null && local != grpc ? Parse(local, $"from {file}") : null,
                LocalTransport = transport,
                SelfSignedCertificate = certificate,
            };
        }

        var uri = Parse(address, source);
        var (known, knownSource) = LocateToken(options, directory.Length > 0 && IsOf(uri, file) ? directory : null);
        return new CoordinatorEndpoint(uri, source, known, known is null && knownSource.Length == 0 && directory.Length > 0
            ? $"none was given, and that of {directory} is only sent to its own coordinator: name one with --token or " +
                $"{OrchestratorClientOptions.TokenVariable}"
            : knownSource);
    }

    /// <summary>The same coordinator, by its Unix socket.</summary>
    public CoordinatorEndpoint ByLocalSocket() => this with { Address = LocalSocket!, LocalSocket = null };

    /// <summary>The address named by the options or the environment; null if there is none.</summary>
    private static (string Address, string Source)? Explicit(OrchestratorClientOptions options)
    {
        if (!string.IsNullOrEmpty(options.Endpoint))
            return (options.Endpoint, "given explicitly");
        var variable = Environment.GetEnvironmentVariable(OrchestratorClientOptions.EndpointVariable);
        // A named data directory is more explicit than a variable that may be left over from another shell.
        return !string.IsNullOrEmpty(variable) && string.IsNullOrEmpty(options.DataDirectory)
            ? (variable, $"from {OrchestratorClientOptions.EndpointVariable}")
            : null;
    }

    private static Uri Parse(string address, string source) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" or "unix"
            ? uri
            : throw new CoordinatorUnavailableException(
                $"'{address}' ({source}) is not an address such as http://127.0.0.1:7600, or unix:/path/of/a.socket.", null);

    private static (string Grpc, string? Local, LocalTransportAddress? LocalTransport, string? Certificate) ReadFile(string file)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            return (
                document.RootElement.GetProperty("grpc").GetString() ?? "",
                document.RootElement.TryGetProperty("local", out var local) ? local.GetString() : null,
                document.RootElement.TryGetProperty("local_transport", out var transport)
                    ? new LocalTransportAddress(
                        transport.GetProperty("socket").GetString() ?? "", transport.GetProperty("connections").GetInt32())
                    : null,
                document.RootElement.TryGetProperty("ca", out var certificate) ? certificate.GetString() : null);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CoordinatorUnavailableException(
                $"No coordinator is running here: {file} does not exist. Start one with 'orchestrator serve', or name " +
                $"one with --endpoint or {OrchestratorClientOptions.EndpointVariable}.",
                exception);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException
                                              or IOException or UnauthorizedAccessException)
        {
            throw new CoordinatorUnavailableException($"{file} cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>Whether the coordinator of this file listens on the address: its token is sent only there.</summary>
    private static bool IsOf(Uri address, string file)
    {
        try
        {
            var (grpc, local, _, _) = ReadFile(file);
            return IsSame(grpc) || (local is not null && IsSame(local));
        }
        catch (CoordinatorUnavailableException)
        {
            return false;
        }

        bool IsSame(string other) => Uri.TryCreate(other, UriKind.Absolute, out var uri) && uri == address;
    }

    /// <param name="options">May name the token.</param>
    /// <param name="directory">The directory of the token file; null if its coordinator is not the one being called.</param>
    private static (string? Token, string Source) LocateToken(OrchestratorClientOptions options, string? directory)
    {
        if (!string.IsNullOrEmpty(options.Token))
            return (options.Token, "given explicitly");
        var variable = Environment.GetEnvironmentVariable(OrchestratorClientOptions.TokenVariable);
        if (!string.IsNullOrEmpty(variable) && string.IsNullOrEmpty(options.DataDirectory))
            return (variable, $"from {OrchestratorClientOptions.TokenVariable}");
        if (directory is null)
            return (null, "");
        if (directory.Length == 0)
            return (null, "none was given, and there is no home directory in which to look for one");
        var file = Path.Combine(directory, ProtocolConstants.TokenFileName);
        try
        {
            return (File.ReadAllText(file).Trim(), $"from {file}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Not an error yet: the coordinator may not require a token. If it does, the error names this source.
            return (null, $"none was given, and {file} cannot be read");
        }
    }
}
