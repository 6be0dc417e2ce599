using System.Net.Sockets;
using System.Security.Authentication;
using Grpc.Core;

namespace Orchestrator.Client;

/// <summary>Why a connection did not come about, in words that say what to change.</summary>
internal static class ConnectionFailures
{
    // What the HTTP library says of a connection that was closed after TLS and before HTTP/2: it has no code of its own for it.
    private const string AfterTls = "HTTP/2 handshake";

    /// <summary>What went wrong, and what helps where that is known.</summary>
    public static string Explain(RpcException exception, CoordinatorEndpoint endpoint)
    {
        var cause = exception.Status.DebugException;
        var isTls = endpoint.Address.Scheme == Uri.UriSchemeHttps;
        if (isTls && IsCertificateRefused(cause))
        {
            return endpoint.ShowsCertificate
                ? "it closed the connection when it had seen this client's certificate: it takes only those of the authority that it was given with --client-ca."
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
    /// The server closed the connection once TLS was made. With TLS 1.3 that is how it refuses a certificate, or that there is none: by then the client's side has ended its
    /// handshake.
    /// </summary>
    public static bool IsCertificateRefused(Exception? cause) => Find<AuthenticationException>(cause) is { } refused
        ? Mentions(refused, "certificate required") || Mentions(refused, "alert bad certificate")
        : cause is not null && Mentions(cause, AfterTls);

    /// <summary>The first of its causes that is of this type; null where none is.</summary>
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
            return $"{refused.Message.TrimEnd('.')}. Name the authority of its certificate with --ca ({OrchestratorClientOptions.CertificateAuthorityVariable}).";
        if (Mentions(refused, "frame size"))
            return "it does not speak TLS. The address of a coordinator without a certificate begins with http://.";
        return Mentions(refused, "application protocol") ? "it does not speak HTTP/2: this is its HTTP port, and gRPC is on another." : Innermost(refused).Message;
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
