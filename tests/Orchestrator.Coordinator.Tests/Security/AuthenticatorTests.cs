using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;
using Orchestrator.TestKit;

namespace Orchestrator.Coordinator.Tests.Security;

/// <summary>Who calls, by the headers of a request and the connection that it comes over.</summary>
public sealed class AuthenticatorTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly HandClock _clock = new();
    private readonly SecurityInstruments _instruments = new();
    private readonly TokenStore _tokens;
    private readonly TokenFiles _files;

    public AuthenticatorTests()
    {
        _tokens = new TokenStore(_directory.Path, null, _clock, NullLogger<TokenStore>.Instance);
        _files = new TokenFiles(_directory.Path, _clock);
    }

    private string Owner => File.ReadAllText(_tokens.Path).Trim();

    public void Dispose()
    {
        _tokens.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("Bearer {0}")]
    [InlineData("bearer {0}")]
    [InlineData("BEARER   {0} ")]
    public void The_owners_token_is_the_operator(string header)
    {
        var caller = Find(string.Format(System.Globalization.CultureInfo.InvariantCulture, header, Owner), out var fault)!;
        Assert.Null(fault);
        Assert.Equal((Role.Operate, true, true), (caller.Role, caller.IsOwner, caller.IsShared));
        Assert.Equal(0, _instruments.RefusedTotal);
    }

    [Theory]
    [InlineData(Role.Observe)]
    [InlineData(Role.Submit)]
    [InlineData(Role.Operate)]
    public void A_token_has_its_name_and_role_and_ends_at_its_time(Role role)
    {
        var (_, token) = _files.Create(role, TimeSpan.FromHours(1), "hour");
        var caller = Find("Bearer " + token, out _)!;
        Assert.Equal(("hour", role, false, false), (caller.Name, caller.Role, caller.IsOwner, caller.IsShared));
        _clock.Now += TimeSpan.FromHours(1);
        Assert.Null(Find("Bearer " + token, out var fault));
        Assert.Contains("the token 'hour' expired at 2030-01-01 01:00:00Z", fault, StringComparison.Ordinal);
        Assert.Equal(1, _instruments.RefusedTotal);
    }

    [Theory]
    [InlineData(null, "no token was sent")]
    [InlineData("", "the token is wrong")]
    [InlineData("Bearer ", "the token is wrong")]
    [InlineData("Bearer wrong", "the token is wrong")]
    [InlineData("Basic dXNlcjpwYXNz", "the token is wrong")]
    [InlineData("Bearer 0000000000000000000000000000000000000000000000000000000000000000", "the token is wrong")]
    public void What_is_no_token_of_ours_is_refused_and_counted(string? header, string why)
    {
        Assert.Null(Find(header, out var fault));
        Assert.StartsWith(why, fault, StringComparison.Ordinal);
        Assert.Equal(1, _instruments.RefusedTotal);
    }

    [Fact]
    public void A_token_without_its_scheme_is_refused() => Assert.Null(Find(Owner, out _));

    /// <summary>Only a caller on this machine learns where the token lies, and one behind a proxy may be anywhere.</summary>
    [Theory]
    [InlineData("127.0.0.1", null, true)]
    [InlineData("::1", null, true)]
    [InlineData("10.0.0.1", null, true)]
    [InlineData(null, null, true)]
    [InlineData("10.0.0.2", null, false)]
    [InlineData("127.0.0.1", "Forwarded", false)]
    [InlineData("127.0.0.1", "X-Forwarded-For", false)]
    [InlineData("127.0.0.1", "Via", false)]
    public void The_path_of_the_token_is_told_on_this_machine_alone(string? remote, string? header, bool isTold)
    {
        var context = Context(null);
        context.Connection.RemoteIpAddress = remote is null ? null : IPAddress.Parse(remote);
        context.Connection.LocalIpAddress = IPAddress.Parse("10.0.0.1");
        if (header is not null)
            context.Request.Headers[header] = "x";
        Assert.Null(Authenticator(new CoordinatorOptions()).Find(new HttpCallOrigin(context), out var fault));
        Assert.Equal(isTold, fault!.Contains(_directory.Path, StringComparison.Ordinal));
        Assert.Contains("authorization: Bearer TOKEN", fault, StringComparison.Ordinal);
    }

    /// <summary>A worker's token is worth nothing over a connection that is not that worker's: TCP names no process.</summary>
    [Fact]
    public void A_workers_token_over_another_connection_is_refused()
    {
        var token = _tokens.IssueForWorker(new WorkerIdentity(3) { ProcessGroup = Environment.ProcessId });
        Assert.Null(Find("Bearer " + token, out var fault));
        Assert.Contains("it is not that worker who sent it", fault, StringComparison.Ordinal);
        _tokens.Revoke(token);
        Assert.Null(Find("Bearer " + token, out fault));
        Assert.StartsWith("the token is wrong", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("Bearer wrong")]
    public void Without_authentication_anybody_operates(string? header)
    {
        var caller = Authenticator(new CoordinatorOptions { Authentication = false })
            .Find(new HttpCallOrigin(Context(header)), out var fault)!;
        Assert.Null(fault);
        Assert.Equal((Role.Operate, true, true), (caller.Role, caller.IsOwner, caller.IsShared));
    }

    /// <summary>Who sends a token is who it names, also where anybody may call: a watcher stays a watcher.</summary>
    [Fact]
    public void Without_authentication_a_token_still_counts()
    {
        var (_, token) = _files.Create(Role.Observe, null, "watcher");
        var caller = Authenticator(new CoordinatorOptions { Authentication = false })
            .Find(new HttpCallOrigin(Context("Bearer " + token)), out _)!;
        Assert.Equal(("watcher", Role.Observe), (caller.Name, caller.Role));
    }

    private static DefaultHttpContext Context(string? authorization)
    {
        var context = new DefaultHttpContext();
        if (authorization is not null)
            context.Request.Headers.Authorization = authorization;
        return context;
    }

    private Authenticator Authenticator(CoordinatorOptions options) => new(_tokens, options, _instruments);

    private Principal? Find(string? authorization, out string? fault) =>
        Authenticator(new CoordinatorOptions()).Find(new HttpCallOrigin(Context(authorization)), out fault);

    private sealed class HandClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
