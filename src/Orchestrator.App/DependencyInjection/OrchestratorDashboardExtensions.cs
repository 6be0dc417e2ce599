using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.App;
using Orchestrator.Dashboard;

namespace Microsoft.AspNetCore.Builder;

/// <summary>The page of an embedded pool.</summary>
public static class OrchestratorDashboardExtensions
{
    /// <summary>
    /// Serves the page of the pool that <c>AddOrchestrator</c> added. Everyone who can reach it may do everything with the pool: add
    /// the program's own authorization to what this returns. The page's feed needs <c>app.UseWebSockets()</c> before.
    /// </summary>
    /// <param name="endpoints">The program's routes.</param>
    /// <param name="prefix">Where the page is, such as <c>/orchestrator</c>; its address ends with a slash.</param>
    /// <returns>The page's routes, for <c>RequireAuthorization</c>.</returns>
    /// <example>
    /// <code>
    /// app.UseWebSockets();
    /// app.MapOrchestratorDashboard("/orchestrator").RequireAuthorization("operators");
    /// </code>
    /// </example>
    public static IEndpointConventionBuilder MapOrchestratorDashboard(this IEndpointRouteBuilder endpoints, string prefix)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentException.ThrowIfNullOrEmpty(prefix);
        var group = endpoints.MapGroup(prefix);
        group.MapDashboard(new HostedDashboard(endpoints.ServiceProvider.GetRequiredService<HostedPool>()), allowAnonymous: null);
        return group;
    }
}
