using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;
using Orchestrator.TestKit;

namespace Orchestrator.Coordinator.Tests.Security;

/// <summary>Token files that are damaged at random are read, or reported as damaged.</summary>
public sealed class TokenFileFuzzTests : IDisposable
{
    private const int Seed = 20_250_611;

    private readonly string _directory = Directory.CreateTempSubdirectory("orchestrator-fuzz-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void The_token_list()
    {
        var files = new TokenFiles(_directory, TimeProvider.System);
        files.EnsureOwner();
        files.Create(Role.Observe, TimeSpan.FromHours(1), "watcher");
        files.Create(Role.Submit, null);
        var path = Path.Combine(_directory, "tokens.json");
        Mutations.Read(
            Seed,
            bytes =>
            {
                File.WriteAllBytes(path, bytes);
                return files.List();
            },
            exception => exception is IOException && exception.Message.Contains(path, StringComparison.Ordinal),
            File.ReadAllBytes(path));
    }

    [Fact]
    public void The_owners_token()
    {
        var files = new TokenFiles(_directory, TimeProvider.System);
        files.EnsureOwner();
        Mutations.Read(
            Seed,
            bytes =>
            {
                File.WriteAllBytes(files.OwnerPath, bytes);
                files.EnsureOwner();
                return files.List();
            },
            _ => false,
            File.ReadAllBytes(files.OwnerPath));
    }
}
