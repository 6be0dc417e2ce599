using System.Diagnostics;
using System.Runtime.InteropServices;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Tracing;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.Tests.Tracing;

/// <summary>Of which tasks spans are made, and that these fit together; against the real engine, whose worker the test is.</summary>
public sealed class TaskTracerTests
{
    private static readonly TaskFailure s_failure = new(FailureReason.HandlerFailed, "it failed");

    [Theory]
    [InlineData(0.0, 0, 0)]
    [InlineData(0.1, 900, 1_100)]
    [InlineData(1.0, 10_000, 10_000)]
    public void The_ratio_decides_of_tasks_without_a_context(double ratio, int least, int most)
    {
        using var world = new World(new TracingOptions { Ratio = ratio });
        world.Run(10_000, _ => null);
        Assert.InRange(world.Spans("task echo").Length, least, most);
    }

    [Theory]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", 1)]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", 0)]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03", 1)]
    public void The_flag_decides_of_tasks_with_one(string context, int expected)
    {
        using var world = new World(new TracingOptions());
        world.Run(1, _ => null, context);
        var spans = world.Spans("task echo");
        Assert.Equal(expected, spans.Length);
        Assert.All(spans, span => Assert.Equal(context[..52], span.ParentId![..52]));
        // Under the attempt's span where there is one; as it was given otherwise.
        var sent = Assert.Single(world.Sent);
        Assert.Equal(expected == 1 ? Assert.Single(world.Spans("attempt 1")).Id : context, sent);
    }

    [Fact]
    public void What_failed_is_traced_up_to_100_a_second()
    {
        using var world = new World(new TracingOptions());
        world.Run(1_000, _ => s_failure, maxAttempts: 1);
        Assert.Equal(100, world.Spans("task echo").Length);
        world.Time.Advance(TimeSpan.FromSeconds(1));
        world.Run(1, _ => s_failure, maxAttempts: 1);
        Assert.Equal(101, world.Spans("task echo").Length);
    }

    [Fact]
    public void What_was_slow_or_tried_again_is_traced()
    {
        using var world = new World(new TracingOptions { SlowerThan = TimeSpan.FromMilliseconds(20) });
        world.Run(5, _ => null);
        Assert.Empty(world.Spans("task echo"));
        world.Run(1, _ => null, takes: TimeSpan.FromMilliseconds(20));
        Assert.Single(world.Spans("task echo"));
        world.Run(1, attempt => attempt == 1 ? s_failure : null);
        Assert.Equal(2, world.Spans("task echo").Length);
        Assert.Equal(2, world.Spans("attempt 1").Length);
        Assert.Single(world.Spans("attempt 2"));
    }

    /// <summary>
    /// A task's queue and attempt spans follow one another, from its acceptance to its end, and each attempt has one, whatever the
    /// outcomes, the times and the clocks of workers say.
    /// </summary>
    [Fact]
    public void The_spans_of_a_task_follow_one_another() =>
        Gen.Select(Gen.Int[1, 4], Gen.Int[0, 4], Gen.Int[1, 50], Gen.Int[-30, 30], Gen.Bool).Sample(
            (attempts, failed, took, skew, isSampled) =>
        {
            using var world = new World(new TracingOptions { SlowerThan = TimeSpan.FromTicks(1) });
            world.Run(
                1, attempt => attempt <= failed ? s_failure : null,
                isSampled ? "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" : null,
                TimeSpan.FromMilliseconds(took), TimeSpan.FromMilliseconds(Math.Max(0, took + skew)), attempts);
            var made = Math.Min(attempts, failed + 1);
            var task = Assert.Single(world.Spans("task echo"));
            var children = world.Stopped.Where(span => span.ParentSpanId == task.SpanId).ToArray();
            Assert.Equal(2 * made, children.Length);
            for (var i = 0; i < made; i++)
            {
                var (queue, attempt) = (children[2 * i], children[(2 * i) + 1]);
                Assert.Equal(("queue", $"attempt {i + 1}"), (queue.DisplayName, attempt.DisplayName));
                Assert.True(queue.Duration > TimeSpan.Zero && attempt.Duration > TimeSpan.Zero);
                Assert.True(attempt.StartTimeUtc >= task.StartTimeUtc);
                Assert.Equal(
                    i + 1 <= failed ? ActivityStatusCode.Error : ActivityStatusCode.Unset, attempt.Status);
            }

            Assert.Equal(made <= failed ? "failed" : "succeeded", task.GetTagItem("orchestrator.task.state"));
        }, iter: 300, threads: 1);

    [Fact]
    public void A_listener_that_throws_costs_spans_and_nothing_else()
    {
        using var world = new World(new TracingOptions { Ratio = 1 }) { Throws = true };
        world.Run(3, _ => null);
        Assert.Equal(3, world.Ended.Count(task => task.State == TaskState.Succeeded));
        world.Throws = false;
        world.Run(1, _ => null);
        Assert.NotEmpty(world.Spans("task echo"));
    }

    [Fact]
    public void What_the_thread_does_is_no_parent_and_goes_on()
    {
        using var caller = new Activity("caller").Start();
        using var world = new World(new TracingOptions { Ratio = 1 });
        world.Run(1, _ => null);
        Assert.Equal(default, Assert.Single(world.Spans("task echo")).ParentSpanId);
        Assert.Same(caller, Activity.Current);
    }

    /// <summary>The engine with one worker, a tracer, and a listener to the tracer alone.</summary>
    private sealed class World : IDisposable
    {
        private readonly TaskEngine _engine = new(new TaskEngineOptions());
        private readonly TaskEffects _effects = new() { ListsEnds = true };
        private readonly MonotonicClock _clock;
        private readonly TaskTracer _tracer;
        private readonly ActivityListener _listener;
        private readonly WorkerNode _worker;

        public World(TracingOptions options)
        {
            _clock = new MonotonicClock(Time);
            _tracer = new TaskTracer(_clock, options, NullLogger<TaskTracer>.Instance);
            _listener = new ActivityListener
            {
                // Tests run side by side, each with a source of this name.
                ShouldListenTo = source => ReferenceEquals(source, _tracer.Source),
                Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = span =>
                {
                    if (Throws)
                        throw new InvalidOperationException("a listener's fault");
                    Stopped.Add(span);
                },
            };
            ActivitySource.AddActivityListener(_listener);
            _engine.Apply(
                new TaskCommand.WorkerJoined(
                    new WorkerDescription("worker-1#1", PlacementPolicy.WorkerProcess, 1, 1, 1, 100, true),
                    [new HandlerOffer("echo", WorkKind.Cpu, null)]),
                _clock.Now, _effects);
            _worker = _effects.Joined!;
            _effects.Clear();
        }

        public HandTime Time { get; } = new();

        public bool Throws { get; set; }

        public List<Activity> Stopped { get; } = [];

        /// <summary>The contexts that were sent with attempts.</summary>
        public List<string> Sent { get; } = [];

        public List<TaskRecord> Ended { get; } = [];

        public Activity[] Spans(string name) => [.. Stopped.Where(span => span.DisplayName == name)];

        /// <summary>Runs tasks one after another.</summary>
        public void Run(
            int count, Func<int, TaskFailure?> outcome, string? context = null, TimeSpan takes = default, TimeSpan? reported = null,
            int maxAttempts = 2)
        {
            var policy = new TaskPolicy
            {
                Retry = new RetryRule(maxAttempts, TimeSpan.FromMilliseconds(1), 1, TimeSpan.FromMilliseconds(1), RetryWorkerLost: true),
            };
            for (var i = 0; i < count; i++)
            {
                var before = Ended.Count;
                var task = new TaskSubmission("echo", policy, null, 0) { TraceParent = context };
                Apply(new TaskCommand.Submit([task], null), outcome, takes, reported);
                while (Ended.Count == before)
                {
                    Time.Advance(TimeSpan.FromMilliseconds(1));
                    _engine.Tick(_clock.Now, _effects);
                    Carry(outcome, takes, reported);
                }
            }
        }

        public void Dispose()
        {
            _listener.Dispose();
            _tracer.Dispose();
            _clock.Dispose();
        }

        private void Apply(TaskCommand command, Func<int, TaskFailure?> outcome, TimeSpan takes, TimeSpan? reported)
        {
            _engine.Apply(command, _clock.Now, _effects);
            Carry(outcome, takes, reported);
        }

        /// <summary>As the host does, which is also the worker here.</summary>
        private void Carry(Func<int, TaskFailure?> outcome, TimeSpan takes, TimeSpan? reported)
        {
            _tracer.OnAssigned(CollectionsMarshal.AsSpan(_effects.Assignments));
            if (_tracer.OnEnded(_effects.Ended))
                _tracer.Flush(alone: true);
            Ended.AddRange(_effects.Ended);
            var assigned = _effects.Assignments.ToArray();
            Sent.AddRange(assigned.Select(item => TaskTracer.ContextFor(item.Task, item.Attempt)));
            _effects.Clear();
            foreach (var item in assigned)
            {
                Time.Advance(takes);
                var ran = Math.Max(1, (reported ?? takes).Ticks);
                Apply(
                    new TaskCommand.Report(_worker, [new AttemptReport(item.Task.Id, item.Attempt, null, 0, outcome(item.Attempt), ran)]),
                    outcome, takes, reported);
            }
        }
    }
}
