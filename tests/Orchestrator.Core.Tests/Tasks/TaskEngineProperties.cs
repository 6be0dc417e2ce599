using CsCheck;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>
/// Random sequences of commands, message delays, deaths and timeouts against the invariants of <see cref="SimulatedWorld"/>: every accepted
/// task ends exactly once, never two live attempts, credits and concurrency limits hold, first come first served within priority and key,
/// and a message of an old incarnation changes nothing.
/// </summary>
public sealed class TaskEngineProperties
{
    private static readonly Gen<(int Op, int A, int B)[]> Steps =
        Gen.Select(Gen.Int[0, 15], Gen.Int[0, 200], Gen.Int[0, 200]).Array[20, 250];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_sequence_keeps_the_invariants_and_comes_to_an_end(bool twoGroups) =>
        Steps.Sample(
            steps =>
            {
                var world = new SimulatedWorld(twoGroups);
                world.Join();
                world.Join();
                foreach (var (op, a, b) in steps)
                    world.Step(op, a, b);
                world.RunToTheEnd();
            },
            iter: Iterations.Of(1_000),
            threads: 2);

    [Fact]
    public void The_same_commands_at_the_same_times_give_the_same_effects() =>
        Steps.Sample(
            steps =>
            {
                Assert.Equal(Trace(steps), Trace(steps));

                static List<(long, int, string, TaskState, long)> Trace((int Op, int A, int B)[] steps)
                {
                    var world = new SimulatedWorld();
                    world.Join();
                    foreach (var (op, a, b) in steps)
                        world.Step(op, a, b);
                    return [.. world.Accepted.Select(task => (task.Id, task.Attempt, task.WorkerName, task.State, task.EndedSequence))];
                }
            },
            iter: Iterations.Of(200),
            threads: 2);

    [Fact]
    public void Nothing_starves_under_aging() =>
        Gen.Select(Gen.Int[1, 4], Gen.Int[5, 50]).Sample(
            (lead, runMs) =>
            {
                // A task gains one priority per second, so what comes `lead` seconds after it with `lead` more priority no longer overtakes
                // it.
                var (before, ended) = RunUnderFlood(new TaskEngineOptions(), lead, runMs);
                Assert.True(ended);
                var acceptedEarlier = 2 * ((lead * 1_000 / runMs) + 1);
                Assert.InRange(before, lead * 1_000 / runMs, acceptedEarlier + 4);
                Assert.False(RunUnderFlood(new TaskEngineOptions { Aging = TimeSpan.Zero }, lead, runMs).Ended);
            },
            iter: Iterations.Of(20));

    /// <summary>
    /// One CPU lane, twice as much urgent work as the lane can do, one task of low priority: how many tasks ran before it.
    /// </summary>
    private static (int Before, bool Ended) RunUnderFlood(TaskEngineOptions options, int lead, int runMs)
    {
        var harness = new EngineHarness(options);
        var worker = harness.Join("w#1");
        // The lane is busy when the low-priority task comes.
        harness.SubmitMany(2, "cpu", TaskPolicy.Default with { Priority = lead });
        var low = harness.Submit("cpu", TaskPolicy.Default with { Priority = 0 });
        var run = TimeSpan.FromMilliseconds(runMs);
        var before = 0;
        for (var ms = 0; ms < (lead * 2_000) + 1_000 && !low.HasEnded; ms += runMs, before++)
        {
            harness.SubmitMany(2, "cpu", TaskPolicy.Default with { Priority = lead });
            harness.Now += run;
            harness.FinishRunning(worker, run);
        }

        return (before, low.HasEnded);
    }
}
