using Orchestrator.Client;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Client.Tasks;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Integration.Tests.Sdk;

/// <summary>Maps: order, bounds, failures, leaving early.</summary>
public sealed class MapTests(SdkFixture fixture) : IClassFixture<SdkFixture>
{
    private OrchestratorClient Client => fixture.Client;

    [Fact]
    public async Task Outputs_come_in_the_order_of_the_inputs()
    {
        var outputs = new List<int>();
        await foreach (var output in Client.MapAsync<int, int>("echo", Enumerable.Range(0, 20_000)))
            outputs.Add(output);
        Assert.Equal(Enumerable.Range(0, 20_000), outputs);
    }

    [Fact]
    public async Task As_completed_each_comes_once_and_a_slow_one_holds_up_nobody()
    {
        await using var session = await Client.OpenSessionAsync("gate");
        var hold = await session.Lock("map-gate").AcquireAsync();
        var options = new MapOptions { Order = OutputOrder.Completion, MaxInFlight = 64 };
        var inputs = Enumerable.Range(0, 200).Select(i => new { locks = i == 0 ? ["map-gate"] : Array.Empty<string>(), ms = 0 });
        var seen = new HashSet<long>();
        await foreach (var outcome in Client.MapOutcomesAsync<object, ulong[]>("hold", inputs, options))
        {
            Assert.True(seen.Add(outcome.Index));
            // The first waits for the lock, which is free only once all others are seen.
            if (seen.Count == 63)
                await hold.DisposeAsync();
        }

        Assert.Equal(200, seen.Count);
    }

    [Fact]
    public async Task A_reader_who_stops_stops_the_reading_of_an_endless_input()
    {
        var read = 0;
        var options = new MapOptions { MaxInFlight = 100 };
        await using var outputs = Client.MapAsync<int, int>("echo", Endless(), options).GetAsyncEnumerator();
        for (var i = 0; i < 1_000; i++)
        {
            Assert.True(await outputs.MoveNextAsync());
            Assert.Equal(i, outputs.Current);
            // The reader's batch, what waits for it, and the one item that the producer is yielding.
            Assert.InRange(Volatile.Read(ref read), i + 1, i + 100 + 256 + 1);
        }

        IEnumerable<int> Endless()
        {
            while (true)
                yield return Interlocked.Increment(ref read) - 1;
        }
    }

    [Fact]
    public async Task The_first_failure_ends_a_map_and_outcomes_show_each()
    {
        var handled = 0;
        var error = await Assert.ThrowsAsync<TaskFailedException>(async () =>
        {
            await foreach (var unused in Client.MapAsync<object, long>(
                "fibonacci", Enumerable.Range(0, 10).Select(i => (object)new { n = i == 5 ? -1 : i })))
                handled++;
        });
        Assert.Equal((5, FailureReason.Invalid), (handled, error.Reason));
        var failed = new List<long>();
        await foreach (var outcome in Client.MapOutcomesAsync<object, long>(
            "fibonacci", Enumerable.Range(0, 10).Select(i => (object)new { n = i % 5 == 4 ? -1 : i })))
        {
            if (!outcome.Succeeded)
                failed.Add(outcome.Index);
        }

        Assert.Equal([4, 9], failed);
    }

    [Fact]
    public async Task An_input_that_throws_ends_the_map_with_its_exception_after_the_outputs_before_it()
    {
        var seen = 0;
        await Assert.ThrowsAsync<InvalidDataException>(async () =>
        {
            await foreach (var unused in Client.MapAsync<int, int>("echo", Broken()))
                seen++;
        });
        Assert.Equal(3, seen);

        static IEnumerable<int> Broken()
        {
            for (var i = 0; i < 3; i++)
                yield return i;
            throw new InvalidDataException();
        }
    }

    [Fact]
    public async Task Leaving_a_map_cancels_what_is_under_way()
    {
        var label = Guid.NewGuid().ToString("N");
        var options = new MapOptions { MaxInFlight = 8, Order = OutputOrder.Completion };
        var inputs = Enumerable.Range(0, 8).Select(i => (object)new { ms = i == 0 ? 0 : 600_000 });
        await foreach (var unused in Client.MapAsync<object, int>("sleep", inputs, options))
            break;
        using var limit = new CancellationTokenSource(SdkWaits.Patience);
        while ((await Client.Contract.GetStatusAsync(limit.Token)).Tasks is { Running: > 0 } or { Queued: > 0 })
            await Task.Delay(10, limit.Token);
    }

    [Fact]
    public async Task Cancelling_the_token_ends_a_map()
    {
        using var cancelling = new CancellationTokenSource();
        var mapping = Task.Run(async () =>
        {
            await foreach (var unused in Client.MapAsync<object, int>("sleep", [new { ms = 600_000 }], cancellationToken: cancelling.Token))
            {
            }
        });
        using var limit = new CancellationTokenSource(SdkWaits.Patience);
        while ((await Client.Contract.GetStatusAsync(limit.Token)).Tasks.Running == 0)
            await Task.Delay(10, limit.Token);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => mapping.Soon());
    }

    [Fact]
    public async Task Maps_and_single_tasks_share_a_stream()
    {
        var maps = Enumerable.Range(0, 5).Select(async n =>
        {
            var next = 0;
            await foreach (var output in Client.MapAsync<int, int>("echo", Enumerable.Range(0, 2_000)))
                Assert.Equal(next++, output);
            return next;
        });
        var singles = Enumerable.Range(0, 200).Select(i => Client.RunAsync<int>("echo", i));
        Assert.All(await Task.WhenAll(maps).Soon(), count => Assert.Equal(2_000, count));
        Assert.Equal(Enumerable.Range(0, 200), await Task.WhenAll(singles).Soon());
        Assert.InRange((await Client.Contract.GetStatusAsync()).Streams, 1, 4);
    }
}
