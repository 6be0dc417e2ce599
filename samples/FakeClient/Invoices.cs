using Orchestrator.Client;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Tasks;

namespace FakeClient;

/// <summary>The program's own code: it knows only the interface of its client.</summary>
internal sealed class Invoices(IOrchestratorClient client)
{
    /// <summary>Renders invoices in worker processes, and queues those that could be rendered for the printer.</summary>
    /// <returns>The numbers of those that could not be rendered.</returns>
    public async Task<IReadOnlyList<int>> RenderAsync(IReadOnlyList<int> numbers, CancellationToken cancellationToken)
    {
        // One renders at a time: two programs would print an invoice twice.
        await using var session = await client.OpenSessionAsync("invoices", cancellationToken: cancellationToken);
        await using var hold = await session.Lock("invoices").AcquireAsync(cancellationToken);
        var printer = session.Queue<string>("printer");
        var failed = new List<int>();
        await foreach (var outcome in client.MapOutcomesAsync<int, string>("render", numbers, cancellationToken: cancellationToken))
        {
            hold.ThrowIfLost();
            if (outcome.Succeeded)
                await printer.PutAsync(outcome.Output, cancellationToken: cancellationToken);
            else if (outcome.Error is TaskFailedException)
                failed.Add(numbers[(int)outcome.Index]);
            else
                throw outcome.Error!;
        }

        return failed;
    }

    /// <summary>The total of a month; cancels a calculation that is not wanted any more.</summary>
    public async Task<decimal> TotalAsync(int month, CancellationToken cancellationToken)
    {
        var task = await client.SubmitAsync<decimal>("total", month, cancellationToken: cancellationToken);
        try
        {
            return await task.AsTask().WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await task.CancelAsync(cancellationToken: CancellationToken.None);
            throw;
        }
    }
}
