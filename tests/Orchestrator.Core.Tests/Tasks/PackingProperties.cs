using CsCheck;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>
/// Brief and long tasks in any mixture, whose runs take any time, on more workers than processors: what must hold whatever is packed.
/// </summary>
public sealed class PackingProperties
{
    private const int Workers = 5;
    private const int IoSlots = 20;

    private static readonly string[] Handlers = ["cpu", "io", "long_cpu", "long_io"];

    private static readonly TaskEngineOptions Options = new() { BriefWorkers = 2, MaxCredits = 30 };

    private static readonly Gen<(int Op, int A, int B)[]> Steps =
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, 100], Gen.Int[0, 100]).Array[10, 150];

    [Fact]
    public void No_worker_is_idle_while_a_longer_task_waits_and_no_lane_holds_more_than_it_may() =>
        Steps.Sample(
            steps =>
            {
                var world = new World();
                foreach (var (op, a, b) in steps)
                    world.Step(op, a, b);
            },
            iter: Iterations.Of(400),
            threads: 2);

    [Fact]
    public void All_tasks_end_soon_whichever_runs_never_end() =>
        Gen.Select(Gen.Int[1, 300], Gen.Int[0, 3], Gen.Int[0, 40]).Sample(
            (tasks, handler, stuck) =>
            {
                var world = new World();
                world.Submit(Handlers[handler], tasks);
                // The first runs of two workers never end.
                var endless = world.Nodes.Select(node => node.Lanes[handler % 2].First).Where(task => task is not null)
                    .Take(1 + (stuck % 2)).ToHashSet();
                var waited = 0;
                while (world.RunAll(endless!) && waited < 200)
                {
                    world.Advance(1);
                    waited++;
                }

                // Each stalled lane passes on half of what waits there at a time.
                Assert.InRange(waited, 0, 10 * 12);
            },
            iter: Iterations.Of(200),
            threads: 2);

    private sealed class World
    {
        private readonly EngineHarness _harness = new(Options);
        private readonly List<TaskRecord> _accepted = [];

        public World()
        {
            Nodes = [.. Enumerable.Range(0, Workers).Select(i => _harness.Join($"w#{i + 1}", io: IoSlots))];
            for (var i = 0; i < 80; i++)
            {
                _harness.Teach(Nodes[0], TimeSpan.FromMicroseconds(10), "cpu");
                _harness.Teach(Nodes[0], TimeSpan.FromMicroseconds(10), "io");
            }
        }

        public WorkerNode[] Nodes { get; }

        public void Step(int op, int a, int b)
        {
            switch (op)
            {
                case 0 or 1 or 2:
                    Submit(Handlers[b % 10 < 7 ? b % 2 : b % 4], 1 + (a % 60));
                    break;
                case 3:
                    Advance(a % 12);
                    break;
                case 4:
                    Return(Nodes[a % Workers]);
                    break;
                default:
                    Finish(Nodes[a % Workers].Lanes[b % 2], Nodes[a % Workers], b % 7 == 6 ? 5_000 : 10);
                    break;
            }

            Check();
        }

        public void Submit(string handler, int count) => _accepted.AddRange(_harness.SubmitMany(count, handler));

        public void Advance(int milliseconds)
        {
            _harness.Advance(TimeSpan.FromMilliseconds(milliseconds));
            Remember();
        }

        /// <summary>Ends all running tasks but these, and returns what is requested back; true while others have not ended.</summary>
        public bool RunAll(HashSet<TaskRecord> endless)
        {
            for (var again = true; again;)
            {
                again = false;
                foreach (var node in Nodes)
                {
                    Return(node);
                    foreach (var task in node.Lanes.SelectMany(lane => lane.Started).Where(task => !endless.Contains(task)).ToArray())
                    {
                        _harness.Report(node, task, run: TimeSpan.FromMicroseconds(10));
                        Remember();
                        again = true;
                    }
                }
            }

            return _accepted.Exists(task => !task.HasEnded && !endless.Contains(task));
        }

        private readonly HashSet<long> _requested = [];

        private void Remember() => _requested.UnionWith(_harness.Signalled(SignalKind.GiveBack));

        private void Return(WorkerNode node)
        {
            var unstarted = _accepted.Where(
                task => task.Worker == node && !task.Has(TaskFlags.Running) && _requested.Contains(task.Id));
            foreach (var task in unstarted.ToArray())
            {
                _requested.Remove(task.Id);
                _harness.Return(node, task);
                Remember();
            }
        }

        private void Finish(Lane lane, WorkerNode node, int microseconds)
        {
            if (lane.First is not { } task)
                return;
            _harness.Report(node, task, run: TimeSpan.FromMicroseconds(microseconds));
            Remember();
        }

        private void Check()
        {
            foreach (var node in Nodes)
            {
                var (cpu, io) = (node.Lanes[0], node.Lanes[1]);
                Assert.InRange(cpu.Waiting, 0, Options.MaxCredits);
                Assert.True(cpu.Waiting <= 1 || cpu.BacklogTicks <= 2 * Options.PrefetchTarget.Ticks, "prefetch passed");
                Assert.InRange(io.Outstanding, 0, io.Slots);
                foreach (var lane in node.Lanes)
                {
                    var tasks = _accepted.Where(task => task.Worker == node && node.LaneOf(task) == lane).ToArray();
                    Assert.Equal(tasks.Count(task => task.RunTicks > Options.BriefBelow.Ticks), lane.Long);
                    Assert.Equal(
                        tasks.Where(task => task.RunTicks <= Options.BriefBelow.Ticks).Sum(task => task.RunTicks), lane.BriefBacklogTicks);
                }
            }

            foreach (var kind in new[] { WorkKind.Cpu, WorkKind.Io })
            {
                var ready = _accepted.Where(task => task.Phase == TaskPhase.Ready && task.Handler.Kind == kind).ToArray();
                if (ready.All(task => task.Handler.IsBrief))
                    continue;
                Assert.DoesNotContain(Nodes, node => node.Lanes[(int)kind] is var lane && lane.Outstanding < lane.Slots);
            }
        }
    }
}
