using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.TestKit;

namespace Orchestrator.Coordinator.Tests.Infrastructure;

/// <summary>Part 5, 20: a directory that others may write is rejected, since they could impersonate its owner.</summary>
public sealed class OwnedPathTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void A_directory_of_this_user_in_the_sticky_folder_of_root_is_fine()
    {
        Assert.Null(OwnedPath.CheckDirectory(_root.Path, "the directory"));
        Assert.True(OwnedPath.IsOwn(_root.Path));
        Assert.Null(OwnedPath.CheckFile(Path.Combine(_root.Path, "none"), "the token file"));
    }

    [Fact]
    public void What_others_may_write_is_refused_and_what_the_group_may_is_warned_of()
    {
        var directory = Directory.CreateDirectory(Path.Combine(_root.Path, "data")).FullName;
        var token = Path.Combine(directory, "token");
        File.WriteAllText(token, "sesame");
        Chmod(directory, UnixFileMode.GroupWrite);
        Chmod(token, UnixFileMode.GroupWrite);
        Assert.Contains("chmod g-w", OwnedPath.CheckDirectory(directory, "the directory"), StringComparison.Ordinal);
        Assert.Contains("chmod g-w", OwnedPath.CheckFile(token, "the token file"), StringComparison.Ordinal);
        Chmod(token, UnixFileMode.OtherWrite);
        Assert.Contains(
            "chmod o-w", Assert.Throws<IOException>(() => OwnedPath.CheckFile(token, "the token file")).Message, StringComparison.Ordinal);
        Chmod(directory, UnixFileMode.OtherWrite);
        Assert.Contains($"the directory {directory} may be written by every user", Assert.Throws<IOException>(
            () => OwnedPath.CheckDirectory(directory, "the directory")).Message, StringComparison.Ordinal);
        // A directory above it that others may write lets them replace it.
        var below = Directory.CreateDirectory(Path.Combine(directory, "below")).FullName;
        Assert.Contains("above the directory", Assert.Throws<IOException>(
            () => OwnedPath.CheckDirectory(below, "the directory")).Message, StringComparison.Ordinal);
        // Also where a link leads there.
        var link = Path.Combine(_root.Path, "link");
        Directory.CreateSymbolicLink(link, below);
        Assert.Throws<IOException>(() => OwnedPath.CheckDirectory(link, "the directory"));
    }

    private static void Chmod(string path, UnixFileMode more) => File.SetUnixFileMode(path, File.GetUnixFileMode(path) | more);
}
