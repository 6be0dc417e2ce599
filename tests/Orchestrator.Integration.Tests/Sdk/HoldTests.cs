using Orchestrator.Client;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Results;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Sdk;

/// <summary>How holds are released, posted or awaited, and updates under a lock.</summary>
public sealed class HoldTests(SdkFixture fixture) : IClassFixture<SdkFixture>
{
    [Fact]
    public async Task A_later_call_of_the_session_finds_a_posted_release_done()
    {
        await using var client = await SdkFixture.ConnectAsync(fixture.Coordinator);
        await using var session = await client.OpenSessionAsync();
        for (var i = 0; i < 300; i++)
        {
            // Quiet, the caller writes; busy, another thread does.
            var others = Enumerable.Range(0, i % 3 * 4).Select(_ => session.Value<long>("posted").AddAsync(1)).ToArray();
            await using (await session.Lock("posted").AcquireAsync())
            {
            }

            var permit = await session.Semaphore("posted", 1, bounded: true).TryAcquireAsync(TimeSpan.Zero);
            Assert.NotNull(permit);
            await permit.DisposeAsync();
            var again = await session.Lock("posted").TryAcquireAsync(TimeSpan.Zero);
            Assert.NotNull(again);
            await again.DisposeAsync();
            await Task.WhenAll(others);
        }
    }

    [Fact]
    public async Task A_release_that_was_posted_before_the_session_was_closed_is_not_lost()
    {
        await using var client = await SdkFixture.ConnectAsync(fixture.Coordinator);
        await using var other = await client.OpenSessionAsync();
        for (var i = 0; i < 20; i++)
        {
            var session = await client.OpenSessionAsync();
            await (await session.Lock("closing").AcquireAsync()).DisposeAsync();
            await session.DisposeAsync();
            var hold = await other.Lock("closing").TryAcquireAsync(TimeSpan.FromSeconds(5));
            Assert.NotNull(hold);
            await hold.ReleaseAsync();
        }
    }

    [Fact]
    public async Task An_awaited_release_is_seen_by_all_and_reports_what_was_lost()
    {
        await using var client = await SdkFixture.ConnectAsync(fixture.Coordinator);
        await using var one = await client.OpenSessionAsync();
        await using var two = await client.OpenSessionAsync();
        var hold = await one.Lock("awaited").AcquireAsync();
        await hold.ReleaseAsync();
        await hold.ReleaseAsync();
        var next = await two.Lock("awaited").TryAcquireAsync(TimeSpan.Zero);
        Assert.NotNull(next);
        var permit = await one.Semaphore("awaited", 1, bounded: true).AcquireAsync();
        await permit.ReleaseAsync();
        await permit.ReleaseAsync();
        var permits = await two.Semaphore("awaited", 1, bounded: true).TryAcquireAsync(TimeSpan.Zero);
        Assert.NotNull(permits);
        using var lost = new CancellationTokenSource();
        await using var watching = next.Lost.Register(lost.Cancel);
        await fixture.Coordinator.Sessions.CloseSessionAsync(new CloseSessionRequest { SessionId = two.Id });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Delay(Timeout.Infinite, lost.Token));
        await Assert.ThrowsAsync<LockLostException>(next.ReleaseAsync);
        await Assert.ThrowsAsync<SessionLostException>(permits.ReleaseAsync);
        // Disposal has nothing to release, and nothing to say.
        await next.DisposeAsync();
        await permits.DisposeAsync();
    }

    [Fact]
    public async Task A_posted_release_that_fails_is_raised_with_its_object()
    {
        await using var client = await SdkFixture.ConnectAsync(fixture.Coordinator);
        await using var session = await client.OpenSessionAsync();
        var raised = new TaskCompletionSource<ReleaseFailedEventArgs>(TaskCreationOptions.RunContinuationsAsynchronously);
        session.ReleaseFailed += (_, failed) => raised.TrySetResult(failed);
        var semaphore = session.Semaphore("raised", 1, bounded: true);
        var permit = await semaphore.AcquireAsync();
        // Released by another way: a semaphore of which no permit is taken is forgotten.
        await semaphore.ReleaseAsync();
        await permit.DisposeAsync();
        var failed = await raised.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(("semaphores/raised", FailureReason.NotFound), (failed.ObjectName, failed.Error.Reason));
    }

    [Fact]
    public async Task Updates_under_a_lock_lose_nothing_and_release_it_whatever_happens()
    {
        await using var client = await SdkFixture.ConnectAsync(fixture.Coordinator);
        var sessions = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => client.OpenSessionAsync()));
        await Task.WhenAll(sessions.Select(async session =>
        {
            for (var i = 0; i < 100; i++)
                await session.Dict<int>("locked").UpdateAsync("count", session.Lock("locked"), value => value + 1);
        }));
        var one = sessions[0];
        Assert.Equal(400, await one.Dict<int>("locked").GetAsync("count"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => one.Dict<int>("locked").UpdateAsync(
            "count", one.Lock("locked"), _ => throw new InvalidOperationException("the change fails")));
        // The read is refused, after the lock was acquired.
        await Assert.ThrowsAsync<OrchestratorException>(() => one.Dict<int>("locked").UpdateAsync(
            new string('k', 2_000), one.Lock("locked"), value => value));
        await using (var hold = await one.Lock("locked").TryAcquireAsync(TimeSpan.Zero))
            Assert.NotNull(hold);
        await Assert.ThrowsAsync<ArgumentException>(
            () => one.Dict<int>("locked").UpdateAsync("count", sessions[1].Lock("locked"), value => value));
        foreach (var session in sessions)
            await session.DisposeAsync();
    }

    [Fact]
    public async Task The_wait_for_the_lock_of_an_update_can_be_given_up_and_a_lock_lost_meanwhile_refuses_the_write()
    {
        await using var client = await SdkFixture.ConnectAsync(fixture.Coordinator);
        await using var one = await client.OpenSessionAsync();
        await using var two = await client.OpenSessionAsync();
        var hold = await one.Lock("given-up").AcquireAsync();
        using var impatient = new CancellationTokenSource();
        var calls = 0;
        var waiting = two.Dict<int>("given-up").UpdateAsync("count", two.Lock("given-up"), value => ++calls, impatient.Token);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(0, calls);
        await hold.ReleaseAsync();
        var lost = await Assert.ThrowsAnyAsync<OrchestratorException>(() => two.Dict<int>("given-up").UpdateAsync(
            "count",
            two.Lock("given-up"),
            value =>
            {
                fixture.Coordinator.Sessions.CloseSession(new CloseSessionRequest { SessionId = two.Id });
                return value + 1;
            }));
        Assert.True(lost is LockLostException or SessionLostException, lost.ToString());
        Assert.Equal(0, await one.Dict<int>("given-up").GetAsync("count"));
    }
}
