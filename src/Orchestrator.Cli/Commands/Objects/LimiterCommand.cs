using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands.Objects;

/// <summary><c>orchestrator limiter</c></summary>
internal static class LimiterCommand
{
    private static readonly Option<long> Permits = new("--permits")
    {
        Description = "The number of permits that are granted in each period.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<OptionTime?> Period = DurationOption.Option(
        "--period", "The period in which that many permits are granted.", TimeSpan.FromSeconds(1));

    private static readonly Option<long?> Count = CountOption.Create("permits to take", 1);

    private static readonly Option<long> Burst =
        new("--burst") { Description = "The most permits that accumulate; 0 means as many as --permits.", HelpName = "N" };

    private static readonly Option<bool> Sliding =
        new("--sliding-window") { Description = "Count every permit of the last period instead of refilling a bucket." };

    public static Command Create() => new("limiter", "Uses rate limiters that count over all processes.")
    {
        new Command("create", "Creates a rate limiter; does nothing if the same one exists.") { ObjectCommands.Name, Permits, Period, Burst,
            Sliding }
            .Examples("orchestrator limiter create api --permits 100 --period 1s")
            .WithClient(async (context, client, token) =>
            {
                var spec = await client.Contract.CreateRateLimiterAsync(
                    new RateLimiterSpec
                    {
                        Name = context.Get(ObjectCommands.Name)!,
                        Permits = context.Get(Permits),
                        Period = Duration.FromTimeSpan(context.Get(Period)!.Value),
                        Burst = context.Get(Burst),
                        SlidingWindow = context.Get(Sliding),
                    },
                    token);
                if (context.Terminal.IsJson)
                    context.WriteJson(spec);
                return ExitCode.Ok;
            }),
        new Command("take", "Waits in FIFO order for the permits, and takes them.") { ObjectCommands.Name, Count, ObjectCommands.Timeout }
            .Examples("orchestrator limiter take api && ./work", "orchestrator limiter take api --timeout 0s")
            .InSession(async (context, session, token) =>
            {
                var limiter = session.RateLimiter(context.Get(ObjectCommands.Name)!);
                if (context.Get(ObjectCommands.Timeout) is not { } limit)
                {
                    await limiter.AcquireAsync(context.Get(Count) ?? 1, token);
                    return ExitCode.Ok;
                }

                return await limiter.TryAcquireAsync(limit, context.Get(Count) ?? 1, token) is { } retry
                    ? context.TimedOut($"the limiter '{limiter.Name}' had no permit (next in {Output.Format.Time(retry)})")
                    : ExitCode.Ok;
            }),
        new Command("delete", "Deletes a rate limiter; waiters for its permits fail.") { ObjectCommands.Name }
            .Examples("orchestrator limiter delete api")
            .WithClient(async (context, client, token) =>
            {
                await client.DeleteRateLimiterAsync(context.Get(ObjectCommands.Name)!, token);
                return ExitCode.Ok;
            }),
        ObjectCommands.ListOf("rate limiters", "limiter"),
    };
}
