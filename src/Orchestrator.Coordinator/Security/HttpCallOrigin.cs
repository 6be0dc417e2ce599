using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.Coordinator.Security;

/// <summary>The origin of a call over HTTP.</summary>
/// <param name="context">The request.</param>
internal readonly struct HttpCallOrigin(HttpContext context) : ICallOrigin
{
    // Read directly from the request: gRPC's view of the headers would be built for this header alone.
    public string? Authorization => (string?)context.Request.Headers.Authorization;

    public ConnectionAuthenticationCache? Connection => context.Features.Get<ConnectionAuthenticationCache>();

    public IDictionary<object, object?>? ConnectionItems => context.Features.Get<IConnectionItemsFeature>()?.Items;

    public string ConnectionId => context.Connection.Id;

    public X509Certificate2? Certificate => context.Connection.ClientCertificate;

    public bool IsOnThisMachine =>
        !context.Request.Headers.ContainsKey("Forwarded") && !context.Request.Headers.ContainsKey("X-Forwarded-For")
            && !context.Request.Headers.ContainsKey("Via")
        && (context.Connection.RemoteIpAddress is not { } remote || IPAddress.IsLoopback(remote)
            || remote.Equals(context.Connection.LocalIpAddress));
}
