using Grpc.Core;

namespace Orchestrator.Dashboard;

/// <summary>Who looks at the page.</summary>
/// <param name="Name">The account.</param>
/// <param name="Role">observe, submit or operate.</param>
internal sealed record DashboardCaller(string Name, string Role);

/// <summary>What the page needs of the program that serves it.</summary>
internal interface IDashboardAccess
{
    /// <summary>Makes calls to the coordinator, each with the credential of its caller in its metadata.</summary>
    CallInvoker Calls { get; }

    /// <summary>
    /// The credential of a request, as an authorization header, whose right to this route has been checked; null on routes that need none,
    /// from a caller without one.
    /// </summary>
    string? CredentialOf(Microsoft.AspNetCore.Http.HttpContext context);

    /// <summary>Whom a credential identifies; null if it has ended.</summary>
    DashboardCaller? Find(string authorization);

    /// <summary>Begins a session for the owner of a one-time code or a token.</summary>
    /// <returns>The secret for the session's cookie; null if the code or the token is wrong.</returns>
    string? LogIn(string? code, string? token);

    /// <summary>Ends the session of a cookie.</summary>
    void LogOut(string secret);
}
