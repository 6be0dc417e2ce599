using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Security;

/// <summary>Identifies the caller of a request: by its token, else by its client certificate.</summary>
internal sealed class Authenticator(TokenStore tokens, CoordinatorOptions options, SecurityInstruments instruments)
{
    // With --no-auth every caller on this machine is the operator.
    private readonly Principal? _anybody = options.Authentication
        ? null : new Principal("anybody (--no-auth)", Role.Operate) { IsShared = true, IsOwner = true };

    /// <summary>The caller; null, with a readable reason, if the request is not authenticated.</summary>
    public Principal? Find(HttpContext context, out string? fault)
    {
        fault = null;
        // Read directly from the request: gRPC's view of the headers would be built for this header alone.
        var presented = (string?)context.Request.Headers.Authorization;
        if (tokens.Identify(presented) is { } known)
        {
            if (known.Worker is { } worker && !worker.Owns(PeerProcess.Of(context.Features.Get<IConnectionItemsFeature>()?.Items)))
                fault = "this is a worker's token, and it is not that worker who sent it";
            else if (tokens.HasExpired(known))
                fault = $"the token '{known.Name}' expired at {known.Expires:u}; orchestrator token create makes another";
            else
                return known;
        }
        else if (_anybody is not null)
        {
            return _anybody;
        }
        else if (presented is null && options.Tls?.ClientCa is not null && context.Connection.ClientCertificate is { } certificate)
        {
            return OfCertificate(context, certificate);
        }
        else
        {
            fault = $"{(presented is null ? "no token was sent" : "the token is wrong")}; "
                + (IsOnThisMachine(context)
                    ? $"it lies in {tokens.Path} (send it as 'authorization: Bearer TOKEN')" : "send it as 'authorization: Bearer TOKEN'");
        }

        instruments.Refused();
        return null;
    }

    // Remote callers must not learn file paths. A request through a proxy may come from any machine.
    private static bool IsOnThisMachine(HttpContext context) =>
        !context.Request.Headers.ContainsKey("Forwarded") && !context.Request.Headers.ContainsKey("X-Forwarded-For")
            && !context.Request.Headers.ContainsKey("Via")
        && (context.Connection.RemoteIpAddress is not { } remote || IPAddress.IsLoopback(remote)
            || remote.Equals(context.Connection.LocalIpAddress));

    // The handshake has verified the certificate against the authority; a connection has one certificate for all its calls.
    private Principal OfCertificate(HttpContext context, X509Certificate2 certificate)
    {
        var items = context.Features.Get<IConnectionItemsFeature>()?.Items;
        if (items is not null && items.TryGetValue(typeof(Principal), out var known))
            return (Principal)known!;
        var caller = new Principal(certificate.Subject, options.Tls!.ClientRole) { Expires = certificate.NotAfter };
        items?[typeof(Principal)] = caller;
        return caller;
    }
}
