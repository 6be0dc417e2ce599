using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Integration.Tests.Interop;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>
/// Part 5, 20: a user who may write where the tokens are stored could impersonate the owner, so a directory that others may write is
/// rejected.
/// </summary>
public sealed class OwnedPathTests : IDisposable
{
    private const string Other = "65534";
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public async Task What_another_user_owns_is_refused()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can make a file another user's");
        var directory = Directory.CreateDirectory(Path.Combine(_root.Path, "data")).FullName;
        var token = Path.Combine(directory, "token");
        await File.WriteAllTextAsync(token, "sesame", TestContext.Current.CancellationToken);
        var link = Path.Combine(directory, "link");
        File.CreateSymbolicLink(link, token);
        (await ExternalTool.RunAsync("chown", ["-h", Other, link])).Succeeded();
        Assert.Contains($"a link that user {Other} has made", Assert.Throws<IOException>(
            () => OwnedPath.CheckFile(link, "the token file")).Message, StringComparison.Ordinal);
        (await ExternalTool.RunAsync("chown", [Other, token])).Succeeded();
        Assert.Contains($"belongs to user {Other}", Assert.Throws<IOException>(
            () => OwnedPath.CheckFile(token, "the token file")).Message, StringComparison.Ordinal);
        (await ExternalTool.RunAsync("chown", [Other, directory])).Succeeded();
        Assert.Contains($"belongs to user {Other}", Assert.Throws<IOException>(
            () => OwnedPath.CheckDirectory(directory, "the directory")).Message, StringComparison.Ordinal);
    }

    /// <summary>Part 5, 20, by the command: one line, and no coordinator.</summary>
    [Fact]
    public async Task Serve_refuses_a_data_directory_that_others_may_write()
    {
        Chmod(_root.Path, UnixFileMode.OtherWrite);
        var (code, output) = await CommandLine.RunAsync(
            "serve", "--data-dir", _root.Path, "--grpc-port", "0", "--http-port", "0", "--workers", "1");
        Assert.NotEqual(0, code);
        Assert.Contains("may be written by every user of this machine; chmod o-w", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    private static void Chmod(string path, UnixFileMode more) => File.SetUnixFileMode(path, File.GetUnixFileMode(path) | more);
}
