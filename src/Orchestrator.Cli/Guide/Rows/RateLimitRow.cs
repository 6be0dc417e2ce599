using Google.Protobuf.WellKnownTypes;
using Orchestrator.Client;
using Orchestrator.V1;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class RateLimitRow() : GuideRow("rate-limit", "10.4", "at most ten a second, over all processes")
{
    private const int Rate = 10;
    private const int Calls = 15;

    // Permits come back one second after they were taken; the clock that measures is not the one that grants.
    private static readonly TimeSpan s_least = TimeSpan.FromMilliseconds(900);

    public override async Task RunAsync(GuideContext guide)
    {
        await CreateAsync("inside");
        guide.Say($"Three tasks in the workers make {Calls / 3} calls each, as fast as a limiter of {Rate} a second lets them.");
        var input = new { limiter = guide.Name("inside"), times = Calls / 3 };
        var took = await GuideContext.TimeAsync(async () =>
            await guide.Pool.MapAsync<object, int>("rate_limited", Enumerable.Repeat(input, 3), cancellationToken: guide.Token).CountAsync(guide.Token));
        guide.Shows($"{Calls} calls took {GuideContext.Show(took)}: ten at once, and five a second later", took >= s_least);

        await using var session = await guide.OpenSessionAsync();
        await session.RateLimiter(guide.Name("inside")).TryAcquireAsync(TimeSpan.Zero, Rate, guide.Token);
        var retry = await session.RateLimiter(guide.Name("inside")).TryAcquireAsync(TimeSpan.Zero, Rate, guide.Token);
        guide.Shows($"a try that fails says when it is worth another: in {GuideContext.Show(retry ?? TimeSpan.Zero)}", retry > TimeSpan.Zero);

        await CreateAsync("dispatch");
        guide.Say("The same without a line in the handler: tasks that name a limiter are started no faster. They wait in the queue, where they can be seen and cancelled.");
        var options = new MapOptions { Task = new RunOptions { RateLimiter = guide.Name("dispatch") } };
        took = await GuideContext.TimeAsync(async () =>
            await guide.Pool.MapAsync<int, int>("echo", Enumerable.Range(0, Calls), options, guide.Token).CountAsync(guide.Token));
        guide.Shows($"{Calls} tasks were started within {GuideContext.Show(took)}", took >= s_least);

        Task<RateLimiterSpec> CreateAsync(string name) => guide.Client.CreateRateLimiterAsync(
            new RateLimiterSpec { Name = guide.Name(name), Permits = Rate, Period = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)), SlidingWindow = true }, guide.Token);
    }
}
