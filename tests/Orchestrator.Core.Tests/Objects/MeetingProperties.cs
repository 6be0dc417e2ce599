using CsCheck;
using Orchestrator.Core.Barriers;
using Orchestrator.Core.Events;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Latches;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Events, barriers and latches against <see cref="MeetingModel"/>; each barrier index occurs once per generation.</summary>
public sealed class MeetingProperties
{
    [Fact]
    public void Events_barriers_and_latches_behave_as_the_model() =>
        SyncRun.Steps.Sample(steps => new Run(9).Play(steps), iter: Iterations.Of(1_000), threads: 2);

    [Fact]
    public void One_barrier_behaves_as_the_model() =>
        SyncRun.Steps.Sample(steps => new Run(3).Play(steps), iter: Iterations.Of(400), threads: 2);

    private sealed class Run(int kinds) : SyncRun(new MeetingModel())
    {
        private readonly HashSet<(string Barrier, int Index, long Generation)> _seats = [];
        private string _barrier = "";

        protected override ObjectCommand Make(int a, int b)
        {
            var name = $"n{a / 10 % 2}";
            var timeout = (a % 8) switch
            {
                0 when b % 5 == 0 => TimeSpan.Zero,
                1 or 2 => TimeSpan.FromMilliseconds(1 + (b % 20)),
                _ =>
                (TimeSpan?)null
            };
            _barrier = name;
            return (b % kinds) switch
            {
                0 or 1 => new WaitBarrier(name, name == "n0" ? 2 : 3) { Timeout = timeout },
                2 when a % 3 > 0 => new ControlBarrier(name, a % 3 == 1 ? BarrierAction.Abort : BarrierAction.Reset),
                2 => new WaitBarrier(name, name == "n0" ? 2 : 3) { Timeout = timeout },
                3 or 4 => new WaitEvent(name) { Timeout = timeout },
                5 => new SetEvent(name, a % 2 == 0),
                6 or 7 => new WaitLatch($"l{a % 4}", 3) { Timeout = timeout },
                _ => new CountDownLatch($"l{a % 4}", 3, 1 + (a % 2)),
            };
        }

        protected override string Show(int request, ObjectOutcome outcome)
        {
            switch (outcome)
            {
                case WaitBarrierOutcome { Status: WaitStatus.Ok } met:
                    // The last arrival ends the other waits: all ends of one step belong to one barrier.
                    Assert.True(_seats.Add((_barrier, met.Index, met.Generation)), "an index twice in one generation");
                    return $"Ok {met.Index} of {met.Generation}";
                case WaitBarrierOutcome met:
                    return $"{met.Status}";
                case WaitEventOutcome waited:
                    return $"{waited.Status}";
                case SetEventOutcome set:
                    return $"was {set.WasSet}";
                case ControlBarrierOutcome control:
                    return $"waited {control.Waiting}";
                case WaitLatchOutcome latch:
                    return $"{latch.Status} {latch.Remaining}";
                default:
                    return $"left {((CountDownLatchOutcome)outcome).Remaining}";
            }
        }
    }
}
