using Orchestrator.V1;

namespace Orchestrator.Client.Tests.Contract;

/// <summary>Tests that count resources of the whole process, or measure the whole machine, and so run alone, after all others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "alone";
}

/// <summary>
/// Many short streams over one connection: neither side may take the other for an attacker, and no resources may accumulate.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class ShortStreamsTests
{
    [Theory]
    [InlineData(3_000, true)]
    [InlineData(1_000, false)]
    public async Task Streams_one_after_the_other_leave_nothing_behind(int count, bool complete)
    {
        await using var server = await ScriptedCoordinator.StartAsync();
        await using var client = await server.ConnectAsync();
        for (var i = 0; i < 100; i++)
            await OneAsync(client, complete);
        var handles = Handles();
        var memory = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < count; i++)
            await OneAsync(client, complete);
        Assert.InRange(Handles(), 0, handles + 20);
        // Drops what the test itself keeps: the requests and tokens that the server has seen.
        while (server.Requests.TryRead(out _) || server.Tokens.TryRead(out _))
        {
        }

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - memory, long.MinValue, 8_000_000);
    }

    private static int Handles() => Directory.Exists("/proc/self/fd") ? Directory.GetFileSystemEntries("/proc/self/fd").Length : 0;

    private static async Task OneAsync(OrchestratorClient client, bool complete)
    {
        await using var stream = client.Contract.OpenTaskStream();
        await stream.SubmitAsync(new TaskSpec { Handler = "echo", Tag = 5 });
        if (complete)
            await stream.CompleteAsync();
        await foreach (var result in stream.ReadAllAsync())
        {
            Assert.Equal(5ul, result.Tag);
            if (!complete)
                return;
        }
    }
}
