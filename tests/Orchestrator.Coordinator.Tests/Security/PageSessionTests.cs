using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;
using Orchestrator.Protocol;
using Orchestrator.TestKit;

namespace Orchestrator.Coordinator.Tests.Security;

/// <summary>Part 9, 15: browsers stay logged in over a restart, as long as their tokens are valid.</summary>
public sealed class PageSessionTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string FilePath => Path.Combine(_directory.Path, "page-sessions.json");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_login_lasts_over_a_restart_with_the_rights_of_its_token()
    {
        var (files, token) = Create("watcher");
        string ofOwner, ofWatcher;
        using (var first = Open())
        {
            ofOwner = first.Pages.Begin(first.Owner);
            ofWatcher = first.Pages.Begin(first.Identify(Bearer(token))!);
            Assert.DoesNotContain(ofOwner, File.ReadAllText(FilePath), StringComparison.Ordinal);
        }

        Assert.Equal(OwnerOnlyFile.Mode, File.GetUnixFileMode(FilePath));
        using (var second = Open())
        {
            Assert.Equal(("owner", Role.Operate, true), Known(second, ofOwner));
            Assert.Equal(("watcher", Role.Observe, false), Known(second, ofWatcher));
            second.LogOut(ofOwner);
        }

        files.Revoke("watcher");
        using var third = Open();
        Assert.Null(third.Identify(Bearer(ofOwner)));
        Assert.Null(third.Identify(Bearer(ofWatcher)));
    }

    /// <summary>Revoked and created again under the same name, at rest or while the coordinator runs: that is another token.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_later_token_of_the_same_name_does_not_revive_a_login(bool whileItRuns)
    {
        var (files, token) = Create("watcher");
        string secret;
        using (var first = Open())
        {
            secret = first.Pages.Begin(first.Identify(Bearer(token))!);
            if (whileItRuns)
            {
                files.Revoke("watcher");
                first.Refresh();
                Assert.Null(first.Identify(Bearer(secret)));
                files.Create(Role.Operate, null, "watcher");
                first.Refresh();
                Assert.Null(first.Identify(Bearer(secret)));
            }
        }

        if (!whileItRuns)
        {
            files.Revoke("watcher");
            files.Create(Role.Operate, null, "watcher");
        }

        using var second = Open();
        Assert.Null(second.Identify(Bearer(secret)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"sessions":[{"sha256":"00","client":"owner","begun":"2026-01-01T00:00:00Z","end":"2036-01-01T00:00:00Z"}]}""")]
    [InlineData("""{"sessions":[7]}""")]
    public void A_damaged_file_costs_the_logins_only(string content)
    {
        OwnerOnlyFile.Write(FilePath, content);
        using var store = Open();
        Assert.Equal("owner", Known(store, store.Pages.Begin(store.Owner)).Name);
    }

    [Fact]
    public void A_file_that_others_may_write_is_refused()
    {
        OwnerOnlyFile.Write(FilePath, """{"sessions":[]}""");
        File.SetUnixFileMode(FilePath, OwnerOnlyFile.Mode | UnixFileMode.OtherWrite);
        var refused = Assert.Throws<IOException>(() => Open().Dispose());
        Assert.Contains(FilePath, refused.Message, StringComparison.Ordinal);
    }

    private static string Bearer(string token) => ProtocolConstants.BearerPrefix + token;

    private static (string Name, Role Role, bool IsOwner) Known(TokenStore store, string secret)
    {
        var caller = store.Identify(Bearer(secret))!;
        return (caller.Name, caller.Role, caller.IsOwner);
    }

    private (TokenFiles Files, string Token) Create(string name)
    {
        var files = new TokenFiles(_directory.Path, TimeProvider.System);
        return (files, files.Create(Role.Observe, null, name).Token);
    }

    private TokenStore Open() => new(_directory.Path, null, TimeProvider.System, NullLogger<TokenStore>.Instance);
}
