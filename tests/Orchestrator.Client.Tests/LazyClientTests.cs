using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Tasks;

namespace Orchestrator.Client.Tests;

/// <summary>A client that connects at its first call.</summary>
public sealed class LazyClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task It_connects_at_the_first_call_and_stays_connected()
    {
        await using var server = await ScriptedCoordinator.StartAsync();
        await using var client = OrchestratorClient.CreateLazy(
            new OrchestratorClientOptions { DataDirectory = server.DataDirectory });
        Assert.False(client.IsConnected);

        await Task.WhenAll(client.GetStatusAsync(), client.GetStatusAsync()).WaitAsync(Patience);
        Assert.Equal(7, await client.RunAsync<int>("echo", 7).WaitAsync(Patience));
        Assert.True(client.IsConnected);
    }

    [Fact]
    public async Task Errors_come_from_the_call_and_the_next_one_tries_again()
    {
        using var directory = new TestKit.TemporaryDirectory();
        await using var server = await ScriptedCoordinator.StartAsync();
        var attempts = 0;
        await using var client = new LazyOrchestratorClient(cancellationToken => OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { DataDirectory = attempts++ == 0 ? directory.Path : server.DataDirectory }, cancellationToken));

        Assert.Equal(0, attempts);
        await Assert.ThrowsAsync<CoordinatorUnavailableException>(() => client.GetStatusAsync().WaitAsync(Patience));
        await client.GetStatusAsync().WaitAsync(Patience);
        Assert.Equal(2, attempts);
    }

    [Fact]
    public async Task A_caller_that_gives_up_does_not_end_the_connecting_of_others()
    {
        await using var server = await ScriptedCoordinator.StartAsync();
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var client = new LazyOrchestratorClient(async cancellationToken =>
        {
            await open.Task.WaitAsync(cancellationToken);
            return await server.ConnectAsync();
        });
        using var impatience = new CancellationTokenSource();
        var first = client.GetStatusAsync(impatience.Token);
        var second = client.GetStatusAsync();
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WaitAsync(Patience));

        open.SetResult();
        await second.WaitAsync(Patience);
    }

    [Fact]
    public async Task Its_disposal_ends_the_connecting_and_refuses_calls()
    {
        var client = new LazyOrchestratorClient(async cancellationToken =>
        {
            await new TaskCompletionSource().Task.WaitAsync(cancellationToken);
            throw new InvalidOperationException("nothing completes this");
        });
        var waiting = client.GetStatusAsync();
        await client.DisposeAsync().AsTask().WaitAsync(Patience);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Patience));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.GetStatusAsync());
        await client.DisposeAsync();
    }
}
