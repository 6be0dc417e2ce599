using System.Security.Cryptography.X509Certificates;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Security;

/// <summary>Identifies the caller of a call: by its token, else by its client certificate.</summary>
internal sealed class Authenticator(TokenStore tokens, CoordinatorOptions options, SecurityInstruments instruments)
{
    // With --no-auth every caller on this machine is the operator.
    private readonly Principal? _anybody = options.Authentication
        ? null : new Principal("anybody (--no-auth)", Role.Operate) { IsShared = true, IsOwner = true };

    /// <summary>The caller; null, with a readable reason, if the call is not authenticated.</summary>
    public Principal? Find<T>(in T origin, out string? fault)
        where T : struct, ICallOrigin
    {
        fault = null;
        var presented = origin.Authorization;
        if (tokens.Identify(presented) is { } known)
        {
            if (known.Worker is { } worker && !worker.Owns(PeerProcess.Of(origin.ConnectionItems)))
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
        else if (presented is null && options.Tls?.ClientCa is not null && origin.Certificate is { } certificate)
        {
            return OfCertificate(origin.ConnectionItems, certificate);
        }
        else
        {
            // Remote callers must not learn file paths.
            fault = $"{(presented is null ? "no token was sent" : "the token is wrong")}; "
                + (origin.IsOnThisMachine
                    ? $"it lies in {tokens.Path} (send it as 'authorization: Bearer TOKEN')" : "send it as 'authorization: Bearer TOKEN'");
        }

        instruments.Refused(presented is null ? RefusalCause.NoCredential : RefusalCause.WrongCredential);
        return null;
    }

    // The handshake has verified the certificate against the authority; a connection has one certificate for all its calls.
    private Principal OfCertificate(IDictionary<object, object?>? items, X509Certificate2 certificate)
    {
        if (items is not null && items.TryGetValue(typeof(Principal), out var known))
            return (Principal)known!;
        var caller = new Principal(certificate.Subject, options.Tls!.ClientRole) { Expires = certificate.NotAfter };
        items?[typeof(Principal)] = caller;
        return caller;
    }
}
