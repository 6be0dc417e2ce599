using System.Globalization;
using Orchestrator.TestKit.History;

namespace Orchestrator.Integration.Tests.History;

/// <summary>
/// Negative control of the checker: clients that overlap at random use a small implementation, sound or with one fault. The sound one must
/// pass with every seed, and a fault that occurred must be found, unless overlapping operations hide it: two concurrent gets may have come
/// in either order.
/// </summary>
public sealed class BrokenObjectTests
{
    private const int Clients = 5;
    private const int Operations = 150;

    private static readonly Fault[] CanHide = [Fault.GivesTheSecondItem, Fault.GrantsOnePermitTooMany, Fault.ReadsTheOldValue];

    public static TheoryData<Fault> QueueFaults => [Fault.None, Fault.LosesAnItem, Fault.GivesAnItemTwice, Fault.GivesTheSecondItem];

    public static TheoryData<Fault> LockFaults => [Fault.None, Fault.GrantsTwice, Fault.RepeatsAToken];

    public static TheoryData<Fault> SemaphoreFaults => [Fault.None, Fault.GrantsOnePermitTooMany];

    public static TheoryData<Fault> RegisterFaults =>
        [Fault.None, Fault.LosesAnUpdate, Fault.ChangesInSpiteOfTheGuard, Fault.ReadsTheOldValue];

    public static TheoryData<Fault> CounterFaults => [Fault.None, Fault.AddsTwice, Fault.LosesAnAddition];

    [Theory]
    [MemberData(nameof(QueueFaults))]
    public void Queue(Fault fault) => Check(fault, new QueueModel(BrokenObject.Capacity), (random, _, number) =>
        random.Next(2) == 0 ? (QueueModel.Put, $"{number}") : (QueueModel.Get, ""));

    [Theory]
    [MemberData(nameof(LockFaults))]
    public void Lock(Fault fault) =>
        Check(fault, new LockModel(), (_, holds, _) => holds ? (LockModel.Release, "") : (LockModel.Acquire, ""));

    [Theory]
    [MemberData(nameof(SemaphoreFaults))]
    public void Semaphore(Fault fault) =>
        Check(fault, new SemaphoreModel(BrokenObject.Permits), (_, holds, _) => holds ? ("give back", "") : ("permit", ""));

    [Theory]
    [MemberData(nameof(RegisterFaults))]
    public void Register(Fault fault) => Check(fault, new RegisterModel(), (random, _, number) =>
        random.Next(2) == 0 ? (RegisterModel.CompareAndSet, "") : (RegisterModel.Read, $"{number}"));

    [Theory]
    [MemberData(nameof(CounterFaults))]
    public void Counter(Fault fault) =>
        Check(fault, new CounterModel(), (random, _, _) => (CounterModel.Add, random.Next(1, 10).ToString(CultureInfo.InvariantCulture)));

    private static void Check<TState>(
        Fault fault, HistoryModel<TState> model, Func<Random, bool, int, (string Kind, string Argument)> choose)
        where TState : notnull
    {
        var (struck, found) = (0, 0);
        for (var seed = 1; seed <= 30; seed++)
        {
            var target = new BrokenObject(fault, seed);
            var verdict = LinearizabilityChecker.Check(Run(target, seed, choose), model);
            struck += target.HasStruck ? 1 : 0;
            found += verdict.Outcome == HistoryOutcome.Violation ? 1 : 0;
            var isRight = verdict.Outcome == HistoryOutcome.Linearizable
                || (target.HasStruck && verdict.Outcome == HistoryOutcome.Violation);
            Assert.True(
                isRight, $"seed {seed}, {fault}: {verdict.Outcome} after {verdict.Configurations} configurations\n{verdict.Explanation}");
            Assert.True(!target.HasStruck || CanHide.Contains(fault)
                || verdict.Outcome == HistoryOutcome.Violation, $"seed {seed}: {fault} was not found");
        }

        Assert.True(fault == Fault.None
            || (struck > 20 && found > struck / 3), $"{fault} has struck with {struck} of 30 seeds and was found with {found}");
    }

    /// <summary>Each client has one operation at a time, which takes effect at some instant between its two stamps.</summary>
    private static List<HistoryOperation> Run(BrokenObject target, int seed, Func<Random, bool, int, (string Kind, string Argument)> choose)
    {
        var random = new Random(seed);
        var history = new List<HistoryOperation>();
        var open = new HistoryOperation?[Clients];
        var holds = new bool[Clients];
        var version = 0ul;
        var now = 0L;
        // At the end no new operation begins; then everything is taken or read once, so that lost items show.
        while (history.Count < Operations || open.Any(operation => operation is not null))
        {
            var client = random.Next(Clients);
            if (open[client] is not { } operation)
            {
                if (history.Count >= Operations)
                    continue;
                var (kind, argument) = choose(random, holds[client], history.Count + (int)now);
                if (kind == RegisterModel.CompareAndSet)
                    argument = RegisterModel.Show($"v{now}", version);
                open[client] = new HistoryOperation($"c{client}", "it", kind, argument, null, now++, long.MaxValue);
            }
            else if (operation.Result is null)
            {
                open[client] = operation with { Result = target.Apply(operation.Client, operation.Kind, operation.Argument) };
            }
            else
            {
                Finish(operation with { Returned = now++ });
                open[client] = null;
                holds[client] = operation.Kind is LockModel.Acquire or "permit" && operation.Result is not LockModel.Timeout;
                if (operation.Kind == RegisterModel.Read)
                    version = ulong.Parse(operation.Result[(operation.Result.LastIndexOf('@') + 1)..], CultureInfo.InvariantCulture);
            }
        }

        LookOnce(history[0].Kind);
        return history;

        void Finish(HistoryOperation operation) => history.Add(operation with
        {
            Kind = operation.Kind switch { "permit" => SemaphoreModel.Acquire, "give back" => SemaphoreModel.Release, var kind => kind },
        });

        void LookOnce(string kind)
        {
            var last = kind switch
            {
                QueueModel.Put or QueueModel.Get => QueueModel.Get,
                RegisterModel.CompareAndSet or RegisterModel.Read => RegisterModel.Read,
                CounterModel.Add => CounterModel.Add,
                _ => null,
            };
            for (var i = 0; last is not null && i <= BrokenObject.Capacity; i++)
            {
                var result = target.Apply("last", last, "1");
                history.Add(new HistoryOperation("last", "it", last, last == CounterModel.Add ? "1" : "", result, now++, now++));
            }
        }
    }
}
