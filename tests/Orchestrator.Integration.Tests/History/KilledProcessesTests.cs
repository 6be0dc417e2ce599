using System.Globalization;
using Orchestrator.TestKit.History;

namespace Orchestrator.Integration.Tests.History;

/// <summary>
/// Tasks in worker processes and clients of this process use the same objects at random, while workers are killed and connections are cut.
/// Their observations must be linearizable for each object, and every acknowledged operation must have happened exactly once.
/// </summary>
/// <remarks>
/// The seed is new each time; a failure prints it. <c>ORCHESTRATOR_HISTORY_SEED</c> sets it: the choices of faults and operations are then
/// the same, the timing is not. <c>ORCHESTRATOR_HISTORY_KILLS</c> sets the number of kills; the default is 6.
/// </remarks>
public sealed class KilledProcessesTests(ITestOutputHelper output)
{
    private readonly int _seed = Setting("ORCHESTRATOR_HISTORY_SEED") ?? Random.Shared.Next();
    private readonly int _kills = Setting("ORCHESTRATOR_HISTORY_KILLS") ?? 6;

    [Fact]
    public async Task Histories_of_killed_processes_are_linearizable_and_each_effect_happens_once()
    {
        var directory = Directory.CreateTempSubdirectory("orchestrator-history-").FullName;
        try
        {
            using var run = new HistoryRun(_seed, _kills, directory);
            await run.RunAsync();
            var history = HistoryLog.Read(directory);
            output.WriteLine(
                $"seed {_seed}: {history.Count} operations, {history.Count(operation => operation.IsUnknown)} of them without an answer; "
                + $"{run.Ended.Count} tasks lost, {run.Succeeded} ended; {run.Cuts} connections cut");
            Assert.NotEmpty(run.Ended);
            Assert.True(run.Succeeded > 0, "no task came to its end");
            Check(history, run);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"with ORCHESTRATOR_HISTORY_SEED={_seed}: {exception.Message}", exception);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private void Check(IReadOnlyList<HistoryOperation> history, HistoryRun run)
    {
        var queue = Check(history, run, SharedObjects.Queue, new QueueModel(SharedObjects.QueueCapacity), QueueModel.Get, QueueModel.Empty);
        Assert.Empty(EffectCounts.OfQueue(queue));
        var leased = Check(
            history, run, SharedObjects.LeasedQueue, new QueueModel(SharedObjects.QueueCapacity), QueueModel.Lease, QueueModel.Empty);
        Assert.Empty(EffectCounts.OfQueue(leased));
        Check(history, run, SharedObjects.Lock, new LockModel(), LockModel.Acquire, LockModel.Timeout);
        Check(history, run, SharedObjects.Semaphore, new SemaphoreModel(SharedObjects.Permits), SemaphoreModel.Acquire,
            SemaphoreModel.Timeout);
        Check(history, run, SharedObjects.Register, new RegisterModel(), RegisterModel.Read, "");
        var counter = Check(history, run, SharedObjects.Counter, new CounterModel(), CounterModel.Add, "");
        Assert.Empty(EffectCounts.OfCounter(counter));
    }

    /// <summary>Checks one object, and that the checker rejects the same history once a single result in it is changed.</summary>
    private IReadOnlyList<HistoryOperation> Check<TState>(
        IReadOnlyList<HistoryOperation> all, HistoryRun run, string name, HistoryModel<TState> model, string kind, string nothing)
        where TState : notnull
    {
        var history = HistoryLog.Of(all, name, model, run.Ended);
        var verdict = LinearizabilityChecker.Check(history, model);
        Assert.True(verdict.Outcome == HistoryOutcome.Linearizable, $"{name}: {verdict.Outcome}: {verdict.Explanation}");
        var falsified = LinearizabilityChecker.Check(Falsify(history, kind, nothing), model);
        Assert.True(falsified.Outcome == HistoryOutcome.Violation,
            $"{name}, falsified: {falsified.Outcome} after {falsified.Configurations} configurations");
        output.WriteLine(
            $"{name}: {history.Count} operations, {verdict.Configurations} configurations; falsified: {falsified.Configurations}");
        return history;
    }

    /// <summary>
    /// The last result of a kind becomes the first one's: an item taken twice, a token repeated, an old value read. A semaphore, whose
    /// grants are all alike, grants at the end what it refused.
    /// </summary>
    private static IEnumerable<HistoryOperation> Falsify(IReadOnlyList<HistoryOperation> history, string kind, string nothing)
    {
        var answers = history.Where(operation => operation.Kind == kind && !operation.IsUnknown).OrderBy(operation => operation.Invoked)
            .ToArray();
        var grants = answers.Where(operation => operation.Result != nothing).ToArray();
        var target = grants.All(operation => operation.Result == SemaphoreModel.Ok)
            ? answers.Last(operation => operation.Result == nothing) : grants[^1];
        Assert.NotSame(grants[0], target);
        return history.Select(operation => operation == target ? operation with { Result = grants[0].Result } : operation);
    }

    private static int? Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value)
            ? value : null;
}
