using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Scenarios.Objects;

/// <summary>The semantics rows on rate limiters, through a real socket.</summary>
public sealed class RateLimiterRowTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private static readonly Duration s_zero = Duration.FromTimeSpan(TimeSpan.Zero);

    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    private SyncService.SyncServiceClient Sync => _coordinator.Sync;

    [Fact]
    public async Task Rate_limiter_says_when_to_come_again()
    {
        var spec = new RateLimiterSpec { Name = "api", Permits = 2, Period = Duration.FromTimeSpan(TimeSpan.FromHours(1)) };
        await Sync.CreateRateLimiterAsync(new CreateRateLimiterRequest { Spec = spec }, CoordinatorProcess.Deadline());
        var request = new AcquirePermitsRequest { RateLimiter = "api", Timeout = s_zero };
        Assert.Equal(WaitStatus.Ok, (await Sync.AcquirePermitsAsync(request, CoordinatorProcess.Deadline())).Status);
        Assert.Equal(WaitStatus.Ok, (await Sync.AcquirePermitsAsync(request, CoordinatorProcess.Deadline())).Status);
        var refused = await Sync.AcquirePermitsAsync(request, CoordinatorProcess.Deadline());
        Assert.Equal(WaitStatus.Timeout, refused.Status);
        Assert.InRange(refused.RetryAfter.ToTimeSpan(), TimeSpan.FromMinutes(25), TimeSpan.FromMinutes(30));
    }

    [Fact]
    public async Task Rate_limiter_with_a_sliding_window_gives_nothing_until_the_oldest_is_a_period_ago()
    {
        var spec = new RateLimiterSpec
        {
            Name = "window",
            Permits = 2,
            Period = Duration.FromTimeSpan(TimeSpan.FromHours(1)),
            SlidingWindow = true
        };
        await Sync.CreateRateLimiterAsync(new CreateRateLimiterRequest { Spec = spec }, CoordinatorProcess.Deadline());
        var request = new AcquirePermitsRequest { RateLimiter = "window", Permits = 2, Timeout = s_zero };
        Assert.Equal(WaitStatus.Ok, (await Sync.AcquirePermitsAsync(request, CoordinatorProcess.Deadline())).Status);
        request.Permits = 1;
        var refused = await Sync.AcquirePermitsAsync(request, CoordinatorProcess.Deadline());
        Assert.Equal(WaitStatus.Timeout, refused.Status);
        // A token bucket would have the next permit in half an hour.
        Assert.InRange(refused.RetryAfter.ToTimeSpan(), TimeSpan.FromMinutes(55), TimeSpan.FromMinutes(60));
    }

    [Fact]
    public async Task Rate_limiter_that_is_deleted_fails_its_waiters_and_can_be_created_with_other_numbers()
    {
        var create = new CreateRateLimiterRequest
        {
            Spec =
            new RateLimiterSpec { Name = "shortlived", Permits = 1, Period = Duration.FromTimeSpan(TimeSpan.FromHours(1)) }
        };
        async Task<AcquirePermitsResponse> Take() =>
            await Sync.AcquirePermitsAsync(new AcquirePermitsRequest { RateLimiter = "shortlived" }, CoordinatorProcess.Deadline());
        async Task<DeleteRateLimiterResponse> Delete() =>
            await Sync.DeleteRateLimiterAsync(new DeleteRateLimiterRequest { RateLimiter = "shortlived" }, CoordinatorProcess.Deadline());
        await Sync.CreateRateLimiterAsync(create, CoordinatorProcess.Deadline());
        await Take();
        var waiting = Take();
        await _coordinator.UntilWaitsAsync(edges => edges.Any(edge => edge.Object == "rate_limiters/shortlived"));
        await Delete();
        Assert.Contains("deleted while", (await FailsAsync(() => waiting)).Status.Detail, StringComparison.Ordinal);
        Assert.Equal("NOT_FOUND", ReasonOf(await FailsAsync(Delete)));
        create.Spec.Permits = 2;
        await Sync.CreateRateLimiterAsync(create, CoordinatorProcess.Deadline());
        Assert.Equal(WaitStatus.Ok, (await Take()).Status);
    }

    private static async Task<RpcException> FailsAsync<T>(Func<Task<T>> call) => await Assert.ThrowsAsync<RpcException>(call);
}
