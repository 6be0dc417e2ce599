using Grpc.Core;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Security;

/// <summary>
/// Admits calls, whatever transport carries them: authenticates the caller by what the transport knows, and authorizes the method. It needs
/// no byte of the request.
/// </summary>
internal sealed class CallGate(Authenticator callers, TokenStore tokens, ClientQuotaRegistry quotas)
{
    /// <summary>Admits a call of a method that needs a credential.</summary>
    /// <param name="origin">Where it comes from.</param>
    /// <param name="method">Such as <c>/orchestrator.v1.TaskService/RunTask</c>; null for none that is known.</param>
    /// <exception cref="RpcException">UNAUTHENTICATED or PERMISSION_DENIED.</exception>
    public CachedAuthentication Admit<T>(in T origin, string? method)
        where T : struct, ICallOrigin
    {
        var known = Identify(origin);
        var caller = known.Caller;
        // The transport itself answers calls of unknown methods, once the caller is authenticated.
        if (method is null)
            return known;
        if (AccessRules.Find(method) is not { } rule)
        {
            throw RpcErrors.Create(
                ErrorReason.PermissionDenied, $"no client may call {method}: this coordinator has no access rule for it");
        }

        if (caller.Worker is not null)
        {
            if (!rule.Workers)
            {
                throw RpcErrors.Create(
                    ErrorReason.PermissionDenied,
                    $"a worker's token is for sessions, queues, pipes, state and synchronization, not for {method}");
            }
        }
        else if (caller.Role < rule.Least)
        {
            throw RpcErrors.Create(
                ErrorReason.PermissionDenied,
                $"{method} needs the role {RoleNames.Of(rule.Least)}, and {caller.Name} has {RoleNames.Of(caller.Role)}");
        }

        return known;
    }

    private CachedAuthentication Identify<T>(in T origin)
        where T : struct, ICallOrigin
    {
        var cache = origin.Connection;
        var authorization = origin.Authorization;
        // Read before the tokens: a concurrent change makes the cached entry stale, never a stale entry valid.
        var version = tokens.Version;
        if (cache?.Last is { } last && last.Version == version && last.Authorization == authorization && !tokens.HasExpired(last.Caller))
            return last;
        var caller = callers.Find(origin, out var fault) ?? throw RpcErrors.Create(ErrorReason.Unauthenticated, fault!);
        var known = new CachedAuthentication(authorization, version, caller, quotas.Of(origin, caller));
        if (cache is not null)
        {
            cache.Last = known;
            cache.MarkAuthenticated();
        }

        return known;
    }
}
