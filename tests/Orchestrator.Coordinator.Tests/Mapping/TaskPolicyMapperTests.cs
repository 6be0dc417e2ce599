using CsCheck;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.TaskModel;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Tests.Mapping;

/// <summary>The options of tasks: what is valid comes back, and what is not is named.</summary>
public sealed class TaskPolicyMapperTests
{
    private static readonly Gen<Duration> s_time =
        Gen.Long[1, TimeSpan.TicksPerDay * 3_649].Select(ticks => Duration.FromTimeSpan(TimeSpan.FromTicks(ticks)));

    private static readonly Gen<RetryPolicy> s_retry =
        from most in Gen.Int[2, 9]
        from times in s_time.Array[2]
        from factor in Gen.Double[1, 1_000]
        from lost in Gen.Bool
        select new RetryPolicy
        {
            MaxAttempts = most,
            InitialBackoff = times[0],
            BackoffMultiplier = factor,
            MaxBackoff = times[1],
            RetryWorkerLost = lost,
        };

    private static readonly Gen<TaskOptions> s_valid =
        from numbers in Gen.Int.Array[2]
        from times in Gen.Null(s_time).Array[5]
        from keys in Gen.String[0, 20].Array[4]
        from retry in Gen.Null(s_retry)
        from placement in Gen.Int[1, 4]
        from durability in Gen.Int[1, 3]
        from weight in Gen.Double[0.001, 1_000]
        from dependencies in Gen.Long[1, long.MaxValue].Array[0, 3]
        from labels in Gen.Dictionary(Gen.String[1, 9], Gen.String[0, 9])[0, 3]
        select Create(numbers, times, keys, retry, placement, durability, weight, dependencies, labels);

    public static TheoryData<string, string> Wrong => new()
    {
        { """{"queueTimeout": "-1s"}""", "queue_timeout" },
        { """{"runTimeout": "0s"}""", "run_timeout" },
        { """{"runTimeout": "-0.000000001s"}""", "run_timeout" },
        { """{"totalTimeout": "0s"}""", "total_timeout" },
        { """{"cancelGrace": "-1s"}""", "cancel_grace" },
        { """{"resultTtl": "-1s"}""", "result_ttl" },
        { """{"retry": {"maxAttempts": -1}}""", "retry.max_attempts" },
        { """{"retry": {"backoffMultiplier": -1}}""", "retry.backoff_multiplier" },
        { """{"retry": {"backoffMultiplier": 0.5}}""", "retry.backoff_multiplier" },
        { """{"retry": {"backoffMultiplier": 1001}}""", "retry.backoff_multiplier" },
        { """{"retry": {"backoffMultiplier": "NaN"}}""", "retry.backoff_multiplier" },
        { """{"retry": {"initialBackoff": "-1s"}}""", "retry.initial_backoff" },
        { """{"retry": {"maxBackoff": "-1s"}}""", "retry.max_backoff" },
        { """{"placement": 5}""", "placement" },
        { """{"concurrencyKey": "k", "concurrencyLimit": -1}""", "concurrency_limit" },
        { """{"concurrencyLimit": 1}""", "concurrency_limit" },
        { """{"fairnessWeight": -1}""", "fairness_weight" },
        { """{"fairnessWeight": 0.0009}""", "fairness_weight" },
        { """{"fairnessWeight": 1001}""", "fairness_weight" },
        { """{"fairnessWeight": "Infinity"}""", "fairness_weight" },
        { """{"durability": 4}""", "durability" },
    };

    [Fact]
    public void What_is_valid_comes_back() => s_valid.Sample(options =>
    {
        List<Violation>? violations = null;
        var policy = TaskPolicyMapper.Map(options, "options", ref violations);
        Assert.Null(violations);
        Assert.Equal(options, TaskPolicyMapper.ToOptions(policy));
    });

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_is_wrong_is_named(string json, string field)
    {
        List<Violation>? violations = null;
        TaskPolicyMapper.Map(JsonParser.Default.Parse<TaskOptions>(json), "tasks[3].options", ref violations);
        var violation = Assert.Single(violations!);
        Assert.Equal($"tasks[3].options.{field}", violation.Field);
    }

    [Fact]
    public void All_that_is_wrong_is_named()
    {
        List<Violation>? violations = [new Violation("tasks[0].handler", "is empty")];
        TaskPolicyMapper.Map(
            JsonParser.Default.Parse<TaskOptions>("""{"runTimeout": "0s", "durability": 9, "placement": 9}"""), "options", ref violations);
        Assert.Equal(
            ["options.durability", "options.placement", "options.run_timeout", "tasks[0].handler"],
            violations!.Select(violation => violation.Field).Order());
    }

    [Fact]
    public void The_defaults_are_the_default_policy()
    {
        List<Violation>? violations = null;
        Assert.Same(TaskPolicy.Default, TaskPolicyMapper.Map(null, "options", ref violations));
        Assert.Same(TaskPolicy.Default, new TaskPolicyMapper().Map(ByteString.Empty, "options", ref violations));
        Assert.Equal(TaskPolicy.Default, TaskPolicyMapper.Map(new TaskOptions(), "options", ref violations));
        Assert.Null(violations);
    }

    [Fact]
    public void A_time_beyond_ten_years_is_ten_years()
    {
        List<Violation>? violations = null;
        var policy = TaskPolicyMapper.Map(
            new TaskOptions { ResultTtl = new Duration { Seconds = long.MaxValue } }, "options", ref violations);
        Assert.Equal(TimeSpan.FromDays(3_650), policy.ResultTtl);
        Assert.Null(violations);
    }

    /// <summary>A million tasks with the same options share one policy; options of one task alone count for its bytes.</summary>
    [Fact]
    public void Equal_options_share_one_policy_unless_they_are_one_tasks_alone()
    {
        var mapper = new TaskPolicyMapper();
        List<Violation>? violations = null;
        var shared = new TaskOptions { Priority = 3, Labels = { ["a"] = "b" } }.ToByteString();
        Assert.Same(mapper.Map(shared, "o", ref violations), mapper.Map(ByteString.CopyFrom(shared.Span), "o", ref violations));
        Assert.Equal(0, mapper.Map(shared, "o", ref violations).KeptBytes);
        var name = new string('k', 128);
        foreach (var own in (TaskOptions[])
            [new() { DependsOn = { 1 } }, new() { AffinityKey = name, FairnessKey = name, RateLimiter = name }])
        {
            var bytes = own.ToByteString();
            Assert.NotSame(mapper.Map(bytes, "o", ref violations), mapper.Map(bytes, "o", ref violations));
            Assert.True(mapper.Map(bytes, "o", ref violations).KeptBytes > bytes.Length);
        }

        Assert.Null(violations);
    }

    [Fact]
    public void Bytes_that_are_no_options_are_a_violation_and_are_not_remembered()
    {
        var mapper = new TaskPolicyMapper();
        for (var i = 0; i < 2; i++)
        {
            List<Violation>? violations = null;
            mapper.Map(ByteString.CopyFrom(0x0f, 0xff), "options", ref violations);
            Assert.Equal("options", Assert.Single(violations!).Field);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public void A_single_attempt_is_no_retry(int attempts)
    {
        List<Violation>? violations = null;
        Assert.Null(TaskPolicyMapper.Map(
            new TaskOptions { Retry = new RetryPolicy { MaxAttempts = attempts } }, "options", ref violations).Retry);
        Assert.Null(violations);
    }

    /// <summary>A first wait beyond the default's longest is not cut by it.</summary>
    [Theory]
    [InlineData(1, 10)]
    [InlineData(60, 60)]
    public void The_longest_wait_is_the_first_at_least(int first, int longest)
    {
        List<Violation>? violations = null;
        var retry = TaskPolicyMapper.Map(
            new TaskOptions { Retry = new RetryPolicy { MaxAttempts = 2, InitialBackoff = new Duration { Seconds = first } } }, "options",
            ref violations).Retry!;
        Assert.Equal(
            (TimeSpan.FromSeconds(first), 2, TimeSpan.FromSeconds(longest)), (retry.InitialBackoff, retry.Multiplier, retry.MaxBackoff));
    }

    private static TaskOptions Create(
        int[] numbers, Duration?[] times, string[] keys, RetryPolicy? retry, int placement, int durability, double weight,
        long[] dependencies, Dictionary<string, string> labels)
    {
        var options = new TaskOptions
        {
            Priority = numbers[0],
            QueueTimeout = times[0],
            RunTimeout = times[1],
            TotalTimeout = times[2],
            CancelGrace = times[3],
            ResultTtl = times[4],
            Retry = retry,
            Placement = (Placement)placement,
            AffinityKey = keys[0],
            ConcurrencyKey = keys[1],
            ConcurrencyLimit = keys[1].Length > 0 ? Math.Max(1, numbers[1] & int.MaxValue) : 0,
            RateLimiter = keys[2],
            FairnessKey = keys[3],
            FairnessWeight = weight == 1 ? 0 : weight,
            Durability = (Durability)durability,
        };
        options.DependsOn.AddRange(dependencies.Distinct().Select(id => (ulong)id));
        foreach (var (name, value) in labels)
            options.Labels.Add(name, value);
        return options;
    }
}
