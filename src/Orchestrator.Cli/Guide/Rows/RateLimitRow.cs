using Google.Protobuf.WellKnownTypes;
using Orchestrator.Client.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class RateLimitRow() : GuideRow("rate-limit", "10.4", "at most ten a second, over all processes")
{
    private const int Rate = 10;
    private const int Calls = 15;

    // Permits return one second after they were taken; the measuring clock differs from the granting one.
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(900);

    public override async Task RunAsync(GuideContext guide)
    {
        await guide.Client.Contract.CreateRateLimiterAsync(
            new RateLimiterSpec
            {
                Name = guide.Name("api"),
                Permits = Rate,
                Period = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)),
                SlidingWindow = true
            }, guide.Token);
        guide.Say($"Three tasks in the workers make {Calls / 3} calls each, as fast as a limiter of {Rate} a second lets them.");
        var input = new { limiter = guide.Name("api"), times = Calls / 3 };
        var took = await GuideContext.TimeAsync(async () =>
            await guide.Pool.MapAsync<object, int>("rate_limited", Enumerable.Repeat(input, 3), cancellationToken: guide.Token)
                .CountAsync(guide.Token));
        guide.Shows($"{Calls} calls took {GuideContext.Show(took)}: ten at once, and five a second later", took >= Least);

        await using var session = await guide.OpenSessionAsync();
        await session.RateLimiter(guide.Name("api")).TryAcquireAsync(TimeSpan.Zero, Rate, guide.Token);
        var retry = await session.RateLimiter(guide.Name("api")).TryAcquireAsync(TimeSpan.Zero, Rate, guide.Token);
        guide.Shows($"a failed try reports when to retry: in {GuideContext.Show(retry ?? TimeSpan.Zero)}", retry > TimeSpan.Zero);
    }
}
