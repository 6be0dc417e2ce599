using CsCheck;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Semaphores;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>
/// Semaphores against <see cref="SemaphoreModel"/>: first come, first served, never too many permits, deadlocks reported exactly where they
/// are.
/// </summary>
public sealed class SemaphoreProperties
{
    [Fact]
    public void Semaphores_behave_as_the_model() =>
        SyncRun.Steps.Sample(steps => new Run(4).Play(steps), iter: Iterations.Of(1_000), threads: 2);

    [Fact]
    public void One_bounded_semaphore_behaves_as_the_model() =>
        SyncRun.Steps.Sample(steps => new Run(1).Play(steps), iter: Iterations.Of(400), threads: 2);

    private sealed class Run : SyncRun
    {
        private static readonly (string Name, int Initial, bool Bounded)[] Pools =
            [("three", 3, true), ("one", 1, true), ("open", 2, false), ("signals", 0, false)];

        private readonly SemaphoreModel _model;
        private readonly int _pools;

        public Run(int pools)
            : this(pools, new SemaphoreModel())
        {
        }

        private Run(int pools, SemaphoreModel model)
            : base(model) => (_pools, _model) = (pools, model);

        protected override ObjectCommand Make(int a, int b)
        {
            var (name, initial, bounded) = Pools[b % _pools];
            var permits = 1 + (a / 7 % 3);
            if (b % 10 < 4)
                return new ReleaseSemaphore(name, permits);
            var timeout = (a % 8) switch { 0 => TimeSpan.Zero, 1 or 2 => TimeSpan.FromMilliseconds(b % 20), _ => (TimeSpan?)null };
            var says = b % 6 > 0;
            return new AcquireSemaphore(name, permits)
            {
                InitialPermits = says
                ? initial : null,
                Bounded = says && bounded,
                Timeout = timeout
            };
        }

        protected override string Show(int request, ObjectOutcome outcome) => outcome switch
        {
            AcquireSemaphoreOutcome acquire => $"{acquire.Status} {acquire.AvailablePermits}",
            _ => $"released {((ReleaseSemaphoreOutcome)outcome).AvailablePermits}",
        };

        protected override void Check(IReadOnlyCollection<Session> live)
        {
            var held = new List<(string Name, long Session, int Permits)>();
            foreach (var session in live)
            {
                for (var hold = session.FirstHold; hold is not null; hold = hold.SessionNext)
                    held.Add((hold.Object.Name, session.Order, ((SemaphoreHold)hold).Permits));
            }

            Assert.Equal(_model.Holds.Order(), held.Order());
            foreach (var (name, initial, bounded) in Pools)
                Assert.True(
                    !bounded || held.Where(hold => hold.Name == name).Sum(hold => hold.Permits) <= initial, "more permits than there are");
        }
    }
}
