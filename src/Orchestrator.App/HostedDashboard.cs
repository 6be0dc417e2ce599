using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Orchestrator.Dashboard;

namespace Orchestrator.App;

/// <summary>The page of a pool that starts after its routes have been mapped.</summary>
internal sealed class HostedDashboard(HostedPool pool) : IDashboardAccess
{
    private readonly Lock _gate = new();
    private IDashboardAccess? _access;

    public CallInvoker Calls => Access.Calls;

    private IDashboardAccess Access
    {
        get
        {
            lock (_gate)
                return _access ??= pool.Dashboard;
        }
    }

    public string? CredentialOf(HttpContext context) => Access.CredentialOf(context);

    public DashboardCaller? Find(string authorization) => Access.Find(authorization);

    public string? LogIn(string? code, string? token) => null;

    public void LogOut(string secret)
    {
    }
}
