using System.Text.Json;
using Orchestrator.Protocol;

namespace Orchestrator.Client.Connection;

/// <summary>The coordinator's address and the client's credentials. Omitted values are located.</summary>
/// <remarks>
/// Each value is looked up in this order: here, in the environment, in the data directory of a coordinator on
/// this machine.
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
    public string? Endpoint { get; set; }

    /// <summary>The token that the coordinator wrote when it started.</summary>
    public string? Token { get; set; }

    /// <summary>The coordinator's data directory; <see cref="ProtocolConstants.DefaultDataDirectory"/> unless set.</summary>
    public string? DataDirectory { get; set; }

    /// <summary>
    /// For an <c>https</c> address: the PEM file of the authorities trusted to issue the coordinator's certificate; the system's own unless
    /// set.
    /// </summary>
    public string? CertificateAuthority { get; set; }

    /// <summary>For an <c>https</c> address: the PEM file of this client's certificate.</summary>
    public string? Certificate { get; set; }

    /// <summary>The PEM file of the key of <see cref="Certificate"/>, without a password.</summary>
    public string? Key { get; set; }

    /// <summary>
    /// Ask the coordinator for its status while connecting, so that a wrong address or token fails at once and not
    /// at the first task.
    /// </summary>
    public bool VerifyOnConnect { get; set; } = true;

    /// <summary>
    /// The maximum number of streams that the tasks of one client share; another one is opened when all open ones are full.
    /// </summary>
    public int MaxStreams { get; set; } = 4;

    /// <summary>
    /// How long the client tries to reconnect before it reports its open tasks as lost; <see cref="Timeout.InfiniteTimeSpan"/> never gives
    /// up.
    /// </summary>
    public TimeSpan ReconnectFor { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Tasks go on while the connection is broken, so that the client finds them again; a disposed client cancels them, a killed one leaves
    /// them running. If false, the coordinator cancels them when the connection breaks, and the client reports the state in which it finds
    /// them.
    /// </summary>
    public bool DetachOnDisconnect { get; set; } = true;

    /// <summary>
    /// How the values of shared objects are serialized where an object is not given the JSON of its type. Options whose
    /// <see cref="JsonSerializerOptions.TypeInfoResolver"/> is a generated context work in trimmed programs. Null takes those of the
    /// SDK, which use reflection.
    /// </summary>
    public JsonSerializerOptions? Json { get; set; }
}
