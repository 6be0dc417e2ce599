using Orchestrator.Contracts;

namespace Orchestrator.Client;

/// <summary>Where the coordinator is and with what the client proves itself. Everything left out is found.</summary>
/// <remarks>
/// Each value is looked for in this order: here, then in the environment, then in the data directory of a
/// coordinator on this machine.
/// </remarks>
public sealed record OrchestratorClientOptions
{
    /// <summary>The environment variable that names the coordinator's gRPC address.</summary>
    public const string EndpointVariable = "ORCHESTRATOR_ENDPOINT";

    /// <summary>The environment variable that holds the token.</summary>
    public const string TokenVariable = "ORCHESTRATOR_TOKEN";

    /// <summary>The environment variable that names the file of <see cref="CertificateAuthority"/>.</summary>
    public const string CertificateAuthorityVariable = "ORCHESTRATOR_CA";

    /// <summary>The environment variable that names the file of <see cref="Certificate"/>.</summary>
    public const string CertificateVariable = "ORCHESTRATOR_CERT";

    /// <summary>The environment variable that names the file of <see cref="Key"/>.</summary>
    public const string KeyVariable = "ORCHESTRATOR_KEY";

    /// <summary>The gRPC address, such as <c>http://127.0.0.1:7600</c>, or <c>unix:</c> and the path of a socket.</summary>
    public string? Endpoint { get; init; }

    /// <summary>The token that the coordinator wrote when it started.</summary>
    public string? Token { get; init; }

    /// <summary>The coordinator's data directory; <see cref="ProtocolConstants.DefaultDataDirectory"/> unless set.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>For an <c>https</c> address: the PEM file of the authorities that the coordinator's certificate must come from; the system's own unless set.</summary>
    public string? CertificateAuthority { get; init; }

    /// <summary>For an <c>https</c> address: the PEM file of the certificate by which this client proves itself.</summary>
    public string? Certificate { get; init; }

    /// <summary>The PEM file of the key of <see cref="Certificate"/>, without a password.</summary>
    public string? Key { get; init; }

    /// <summary>
    /// Ask the coordinator for its status while connecting, so that a wrong address or token is an error at once and
    /// not at the first task.
    /// </summary>
    public bool VerifyOnConnect { get; init; } = true;

    /// <summary>Streams that the tasks of one client share at most; a further one is opened when those there are hold as many tasks as a stream may.</summary>
    public int MaxStreams { get; init; } = 4;

    /// <summary>How long the client tries to reach a coordinator again before it gives up and reports its open tasks as lost; <see cref="Timeout.InfiniteTimeSpan"/> never gives up.</summary>
    public TimeSpan ReconnectFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Tasks go on while the connection is broken, so that the client finds them again; a client that is disposed cancels them, but one that is killed
    /// leaves them to run to their end. Off, the coordinator cancels them with the connection, and the client reports them as it finds them.
    /// </summary>
    public bool DetachOnDisconnect { get; init; } = true;
}
