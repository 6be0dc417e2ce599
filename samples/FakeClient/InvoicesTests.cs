using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;

namespace FakeClient;

/// <summary>The program's own code, tested without a coordinator.</summary>
public sealed class InvoicesTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_renders_is_printed_and_what_fails_is_named()
    {
        await using var client = new FakeOrchestratorClient();
        client.Handle("render", input => input is 2
            ? throw new TaskFailedException("no such invoice", new RunResult { TaskId = 2, State = RunState.Failed })
            : Task.FromResult<object?>($"invoice {input}"));

        var failed = await new Invoices(client).RenderAsync([1, 2, 3], Token);

        Assert.Equal([2], failed);
        Assert.Equal(["invoice 1", "invoice 3"], client.Session.Items["printer"]);
        Assert.Empty(client.Session.Held);
    }

    [Fact]
    public async Task A_lost_worker_ends_the_rendering_and_releases_the_lock()
    {
        await using var client = new FakeOrchestratorClient();
        client.Handle("render", _ =>
        {
            Assert.Equal(["invoices"], client.Session.Held);
            throw new WorkerLostException("it died", new RunResult { TaskId = 1, State = RunState.WorkerLost });
        });

        await Assert.ThrowsAsync<WorkerLostException>(() => new Invoices(client).RenderAsync([1], Token));

        Assert.Empty(client.Session.Held);
    }

    [Fact]
    public async Task A_total_that_is_not_wanted_any_more_is_cancelled()
    {
        await using var client = new FakeOrchestratorClient();
        using var unwanted = CancellationTokenSource.CreateLinkedTokenSource(Token);
        client.Handle("total", async _ =>
        {
            await unwanted.CancelAsync();
            return await new TaskCompletionSource<object?>().Task;
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new Invoices(client).TotalAsync(11, unwanted.Token));

        Assert.Equal([1UL], client.Cancelled);
    }
}
