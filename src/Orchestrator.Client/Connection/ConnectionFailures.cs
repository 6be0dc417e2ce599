using System.Net.Sockets;
using System.Security.Authentication;
using Grpc.Core;
using Orchestrator.Client.Errors;

namespace Orchestrator.Client.Connection;

/// <summary>Explains why a connection failed, and what to change.</summary>
internal static class ConnectionFailures
{
    // The HTTP library's text for a connection closed after TLS and before HTTP/2, for which it has no error code.
    private const string AfterTls = "HTTP/2 handshake";

    /// <summary>The failure, and the remedy where it is known.</summary>
    public static string Explain(RpcException exception, CoordinatorEndpoint endpoint)
    {
        var cause = exception.Status.DebugException;
        var isTls = endpoint.Address.Scheme == Uri.UriSchemeHttps;
        if (isTls && IsCertificateRefused(cause))
        {
            return endpoint.ShowsCertificate
                ? "it closed the connection after receiving this client's certificate: it takes only those of the authority that it was " +
                    "given with --client-ca."
                : "it asks for a client certificate, and this client shows none. Name one with --cert and --key "
                  + $"({OrchestratorClientOptions.CertificateVariable} and {OrchestratorClientOptions.KeyVariable}).";
        }

        if (isTls && Find<AuthenticationException>(cause) is { } refused)
            return ExplainTls(refused);
        return !isTls && cause is not null && Find<SocketException>(cause) is null && Mentions(cause, AfterTls)
            ? "it does not speak plain HTTP/2. The address of a coordinator with a certificate begins with https://."
            : Find<SocketException>(cause)?.Message ?? exception.Status.Detail;
    }

    /// <summary>
    /// Whether the server closed the connection right after the TLS handshake. With TLS 1.3, this is how it refuses a certificate or its
    /// absence: by then the client's side has completed the handshake.
    /// </summary>
    public static bool IsCertificateRefused(Exception? cause) => Find<AuthenticationException>(cause) is { } refused
        ? Mentions(refused, "certificate required") || Mentions(refused, "alert bad certificate")
        : cause is not null && Mentions(cause, AfterTls);

    /// <summary>
    /// Whether the port did not answer, or not in time. A server whose identity fails verification, or that rejects the certificate this
    /// client was configured with, is reported instead; a client without a certificate has its token, which the socket accepts.
    /// </summary>
    public static bool IsPortTaken(Exception exception, OrchestratorClientOptions options)
    {
        // An exception without an RpcException inside means that this client's own files cannot be used.
        if (exception is not (CoordinatorUnavailableException { InnerException: RpcException } or OperationCanceledException))
            return false;
        for (var cause = exception; cause is not null; cause = cause.InnerException
            ?? ((cause as RpcException)?.Status.DebugException is { } inner && inner != cause ? inner : null))
        {
            if (cause is AuthenticationException || (cause is RpcException rpc && ClientTls.NamesCertificate(options)
                && IsCertificateRefused(rpc.Status.DebugException)))
                return false;
        }

        return true;
    }

    /// <summary>The first cause of this type; null if there is none.</summary>
    public static T? Find<T>(Exception? exception)
        where T : Exception
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is T found)
                return found;
        }

        return null;
    }

    private static string ExplainTls(AuthenticationException refused)
    {
        if (Mentions(refused, "remote certificate"))
            return $"{refused.Message.TrimEnd('.')}. Name the authority of its certificate with --ca " +
                $"({OrchestratorClientOptions.CertificateAuthorityVariable}).";
        if (Mentions(refused, "frame size"))
            return "it does not speak TLS. The address of a coordinator without a certificate begins with http://.";
        return Mentions(refused, "application protocol")
            ? "it does not speak HTTP/2: this is its HTTP port, and gRPC is on another." : Innermost(refused).Message;
    }

    private static bool Mentions(Exception? exception, string words)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception.Message.Contains(words, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    private static Exception Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner)
            exception = inner;
        return exception;
    }
}
