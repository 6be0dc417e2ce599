using System.Runtime.ExceptionServices;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Contract;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Tasks;
using Orchestrator.Client.Tasks.Streams;
using Orchestrator.Transport.LocalCalls;

namespace Orchestrator.Client;

/// <summary>
/// A connection to one coordinator. It is thread-safe, and one is enough for a program: all calls share its
/// HTTP/2 connection. Calls fail with <see cref="OrchestratorException"/>.
/// </summary>
public sealed partial class OrchestratorClient : IOrchestratorClient
{
    /// <summary>
    /// The source of spans of submissions, for OpenTelemetry's <c>AddSource</c>. Tasks continue the trace that is current where they are
    /// submitted, also without a listener to this source.
    /// </summary>
    public const string ActivitySourceName = "Orchestrator.Client";

    private const string LocalTransportVariable = "ORCHESTRATOR_LOCAL";

    /// <summary>How long the coordinator's port may take to answer before its Unix socket is tried.</summary>
    private static readonly TimeSpan PortPatience = TimeSpan.FromSeconds(3);

    private readonly GrpcChannel _channel;
    private readonly LocalConnections? _local;
    private readonly CallInvoker _invoker;
    private readonly CoordinatorEndpoint _endpoint;
    private readonly ObjectServices _objects;
    private readonly Lock _gate = new();
    private Task? _closing;

    private OrchestratorClient(CoordinatorEndpoint endpoint, OrchestratorClientOptions options, LocalConnections? local)
    {
        Options = options;
        var tls = endpoint.Address.Scheme == Uri.UriSchemeHttps ? ClientTls.Create(options, endpoint.SelfSignedCertificate) : null;
        _endpoint = endpoint = endpoint with { ShowsCertificate = tls?.ClientCertificateContext is not null };
        _channel = ClientChannel.For(endpoint, tls);
        var calls = _channel.CreateCallInvoker();
        _local = local ?? LocalTransportOf(endpoint, options);
        if (_local is not null)
            calls = new LocalInvoker(calls, _local);
        var invoker = calls.Intercept(new AnswerReader());
        if (endpoint.Token is { Length: > 0 } token)
            invoker = invoker.Intercept(new BearerTokenInterceptor(token));
        _invoker = invoker;
        Errors = new CoordinatorCalls(endpoint);
        _objects = new ObjectServices(invoker, Errors, options.Json);
        Contract = new ContractClient(invoker, Errors, _objects);
        _calls = new TaskCalls(Contract, options, typeof(OrchestratorClient));
        _streams = new TaskStreamPool(_calls);
    }

    /// <summary>The coordinator's gRPC address.</summary>
    public Uri Address => _endpoint.Address;

    /// <summary>Whether it calls over the local transport where its connections suffice.</summary>
    internal bool UsesLocalTransport => _local is not null;

    /// <summary>The calls of the contract as they are, with its messages.</summary>
    public ContractClient Contract { get; }

    /// <inheritdoc/>
    public bool IsConnected => _streams.AnyConnected;

    /// <summary>Connects to the coordinator that the options name, or to the one that runs on this machine.</summary>
    /// <exception cref="CoordinatorUnavailableException">No coordinator answers; the message says where the client looked.</exception>
    /// <exception cref="AccessDeniedException">The token is missing or wrong; the message says where it came from.</exception>
    public static async Task<OrchestratorClient> ConnectAsync(
        OrchestratorClientOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new OrchestratorClientOptions();
        var endpoint = CoordinatorEndpoint.Locate(options);
        if (!options.VerifyOnConnect)
            return new OrchestratorClient(endpoint, options, null);
        if (endpoint.LocalSocket is null)
            return await ConnectAsync(endpoint, options, cancellationToken).ConfigureAwait(false);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(PortPatience);
        Exception failure;
        try
        {
            return await ConnectAsync(endpoint, options, patience.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (ConnectionFailures.IsPortTaken(exception, options) && !cancellationToken.IsCancellationRequested)
        {
            failure = exception;
        }

        // Another user's process may have taken the port; the socket's directories belong to this user.
        try
        {
            return await ConnectAsync(endpoint.ByLocalSocket(), options, cancellationToken).ConfigureAwait(false);
        }
        catch (CoordinatorUnavailableException) when (failure is CoordinatorUnavailableException)
        {
            // The socket of a coordinator that has ended, or that runs on another machine with the same data directory.
            ExceptionDispatchInfo.Throw(failure);
            throw;
        }
        catch (CoordinatorUnavailableException)
        {
            // There is no socket: only the port can answer.
            return await ConnectAsync(endpoint, options, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// A client that connects at its first call, as <see cref="ConnectAsync(OrchestratorClientOptions?, CancellationToken)"/> does; errors
    /// come from that call, and the next one tries again. For programs that are composed before a coordinator is there.
    /// </summary>
    public static IOrchestratorClient CreateLazy(OrchestratorClientOptions? options = null) =>
        new LazyOrchestratorClient(cancellationToken => ConnectAsync(options, cancellationToken));

    /// <summary>Connects to a coordinator in this process.</summary>
    internal static Task<OrchestratorClient> ConnectAsync(
        OrchestratorClientOptions options, LocalConnections connections, CancellationToken cancellationToken) =>
        ConnectAsync(CoordinatorEndpoint.Locate(options), options, cancellationToken, connections);

    private static LocalConnections? LocalTransportOf(CoordinatorEndpoint endpoint, OrchestratorClientOptions options)
    {
        // Certificates are given to be shown and checked, which only TLS does.
        return endpoint.LocalTransport is { } local && !ClientTls.IsWanted(options)
            && Environment.GetEnvironmentVariable(LocalTransportVariable) != "off"
                ? LocalConnections.To(local.Socket, local.Connections) : null;
    }

    private static async Task<OrchestratorClient> ConnectAsync(
        CoordinatorEndpoint endpoint, OrchestratorClientOptions options, CancellationToken cancellationToken,
        LocalConnections? local = null)
    {
        var client = new OrchestratorClient(endpoint, options, local);
        try
        {
            await client.VerifyAsync(cancellationToken).ConfigureAwait(false);
            return client;
        }
        catch
        {
            await client.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public Task<CoordinationSession> OpenSessionAsync(
        string displayName = "", TimeSpan? ttl = null, CancellationToken cancellationToken = default) =>
        CoordinationSession.OpenAsync(_objects, displayName, ttl, cancellationToken);

    /// <summary>
    /// Cancels tasks without a known result and closes the connection, which ends its open streams. A second call waits for the same
    /// completion.
    /// </summary>
    public ValueTask DisposeAsync()
    {
        lock (_gate)
            return new ValueTask(_closing ??= CloseAsync());
    }

    /// <summary>For benchmarks in this solution that measure calls without a method here.</summary>
    internal CallInvoker Invoker => _invoker;

    /// <summary>For a second process that uses the same coordinator.</summary>
    internal string? Token => _endpoint.Token;

    internal CoordinatorCalls Errors { get; }

    private async Task CloseAsync()
    {
        // Continue outside the lock that the starting caller holds.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await _streams.DisposeAsync().ConfigureAwait(false);
        _local?.Dispose();
        _channel.Dispose();
    }

    private async Task VerifyAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Contract.GetStatusAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (AccessDeniedException exception) when (exception.StatusCode == StatusCode.PermissionDenied)
        {
            // The token is valid, but not for the status call: a worker's own token is limited to the object services.
        }
    }
}
