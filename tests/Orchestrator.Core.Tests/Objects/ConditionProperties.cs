using CsCheck;
using Orchestrator.Core.Conditions;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Locks;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>
/// Conditions against <see cref="ConditionModel"/>: waiters are notified in order and never spuriously, always hold the lock on return, and
/// each hold
/// has a larger token than any before.
/// </summary>
public sealed class ConditionProperties
{
    [Fact]
    public void Conditions_of_a_plain_lock_behave_as_the_model() =>
        SyncRun.Steps.Sample(steps => new Run(LockMode.Plain).Play(steps), iter: Iterations.Of(1_000), threads: 2);

    [Fact]
    public void Conditions_of_a_reentrant_lock_behave_as_the_model() =>
        SyncRun.Steps.Sample(steps => new Run(LockMode.Reentrant).Play(steps), iter: Iterations.Of(1_000), threads: 2);

    [Fact]
    public void Conditions_of_a_writer_s_lock_behave_as_the_model() =>
        SyncRun.Steps.Sample(steps => new Run(LockMode.Write).Play(steps), iter: Iterations.Of(500), threads: 2);

    private sealed class Run(LockMode mode) : SyncRun(new ConditionModel(mode))
    {
        private ulong _token;

        protected override bool OneWaitPerSession => true;

        protected override ObjectCommand Make(int a, int b)
        {
            var timeout = (a % 8) switch
            {
                0 when b % 5 == 0 => TimeSpan.Zero,
                1 or 2 => TimeSpan.FromMilliseconds(1 + (b % 20)),
                _ =>
                (TimeSpan?)null
            };
            var condition = a / 10 % 3 == 0 ? "c" : "d";
            return (b % 10) switch
            {
                <= 3 => new AcquireLock("data", mode) { Timeout = timeout == TimeSpan.Zero ? null : timeout },
                <= 5 => new ReleaseLock("data"),
                6 => new NotifyCondition(condition, "data", (a % 5) - 1),
                _ => new WaitCondition(condition, "data") { Timeout = timeout },
            };
        }

        protected override string Show(int request, ObjectOutcome outcome)
        {
            switch (outcome)
            {
                case AcquireLockOutcome { Status: WaitStatus.Timeout }:
                    return "Timeout";
                case AcquireLockOutcome acquire:
                    See(acquire.FencingToken, isNew: acquire.Depth == 1);
                    return $"{acquire.Status} {acquire.Depth}";
                case WaitConditionOutcome wait:
                    See(wait.FencingToken, isNew: wait.Return is not null);
                    return $"{wait.Status}";
                case ReleaseLockOutcome release:
                    return $"released {release.Depth}";
                default:
                    return $"notified {((NotifyConditionOutcome)outcome).Notified}";
            }
        }

        protected override void Check(IReadOnlyCollection<Session> live) => Assert.InRange(live.Sum(session => session.HoldCount), 0, 1);

        private void See(ulong token, bool isNew)
        {
            Assert.True(isNew ? token > _token : token == _token, "a token that does not grow");
            _token = token;
        }
    }
}
