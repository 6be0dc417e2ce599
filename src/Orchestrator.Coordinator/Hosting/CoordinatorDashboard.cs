using Grpc.Core;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.LocalTransport;
using Orchestrator.Coordinator.Security;
using Orchestrator.Dashboard;
using Orchestrator.Protocol;
using Orchestrator.Transport.LocalCalls;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>
/// What the page needs of its coordinator: its calls go through the same gate as those of any client, each with its own credential, and
/// need no socket.
/// </summary>
internal sealed class CoordinatorDashboard(TokenStore tokens, CoordinatorOptions options, LocalServer server)
    : IDashboardAccess, IDisposable
{
    private readonly LocalConnections _connections = new(server.Connect);
    private CallInvoker? _calls;

    public CallInvoker Calls => _calls ??= new LocalInvoker(new NoPlaceInvoker(), _connections);

    public string? CredentialOf(HttpContext context)
    {
        if ((string?)context.Request.Headers.Authorization is { } presented)
            return presented;
        // Without authentication every request is admitted, with whatever credential.
        if (!options.Authentication)
            return "";
        return context.Features.Get<Principal>() is { } caller ? OfCertificate(context, caller) : null;
    }

    /// <summary>A caller with a certificate has nothing that its calls could carry: its connection gets a secret of its own.</summary>
    private string? OfCertificate(HttpContext context, Principal caller)
    {
        if (context.Features.Get<IConnectionItemsFeature>()?.Items is not { } items)
            return null;
        lock (items)
        {
            if (!items.TryGetValue(typeof(CoordinatorDashboard), out var known))
                items[typeof(CoordinatorDashboard)] = known = ProtocolConstants.BearerPrefix + tokens.Pages.Begin(caller);
            return (string)known!;
        }
    }

    /// <summary>The same for a program that decides itself who sees the page; every viewer has the owner's rights.</summary>
    public IDashboardAccess ForOwner() =>
        new OwnerDashboard(this, ProtocolConstants.BearerPrefix + tokens.Pages.BeginForProcess(tokens.Owner));

    public DashboardCaller? Find(string authorization)
    {
        if (tokens.Identify(authorization) is { Worker: null } caller && !tokens.HasExpired(caller))
            return new DashboardCaller(caller.Name, RoleNames.Of(caller.Role));
        return options.Authentication ? null : new DashboardCaller("anybody", RoleNames.Of(Role.Operate));
    }

    public string? LogIn(string? code, string? token)
    {
        var caller = code is not null ? tokens.Pages.TakeCode(code) : tokens.Identify(ProtocolConstants.BearerPrefix + token);
        return caller is { Worker: null } && !tokens.HasExpired(caller) ? tokens.Pages.Begin(caller) : null;
    }

    public void LogOut(string secret) => tokens.LogOut(secret);

    public void Dispose() => _connections.Dispose();

    private sealed class OwnerDashboard(CoordinatorDashboard coordinator, string credential) : IDashboardAccess
    {
        public CallInvoker Calls => coordinator.Calls;

        public string? CredentialOf(HttpContext context) => credential;

        public DashboardCaller? Find(string authorization) => coordinator.Find(authorization);

        public string? LogIn(string? code, string? token) => null;

        public void LogOut(string secret)
        {
        }
    }
}
