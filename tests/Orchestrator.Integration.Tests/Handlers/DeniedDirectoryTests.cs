using System.Text.Json;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Handlers;

/// <summary>Part 5, 19, by a real coordinator that allows the directory above its own.</summary>
public sealed class DeniedDirectoryTests
{
    [Fact]
    public async Task A_submit_client_does_not_get_the_owners_token_by_an_allowed_directory_above_it()
    {
        using var root = new TemporaryDirectory();
        await using var coordinator = await CoordinatorProcess.StartInAsync(
            Path.Combine(root.Path, "data"), "--workers", "1", "--hot-spares", "0", "--allow-directory", root.Path);
        await File.WriteAllTextAsync(Path.Combine(root.Path, "a.txt"), "hello", TestContext.Current.CancellationToken);
        var read = await coordinator.RunAsync(Specs.Json("read_file", PathOf("a.txt")));
        Assert.True(read.State == TaskState.Succeeded, $"{read}");
        var stolen = await coordinator.RunAsync(Specs.Json("read_file", PathOf("data/token")));
        Assert.Equal((TaskState.Failed, ErrorReason.Invalid), (stolen.State, stolen.Error.Reason));

        string PathOf(string name) => JsonSerializer.Serialize(new { path = Path.Combine(root.Path, name) });
    }
}
