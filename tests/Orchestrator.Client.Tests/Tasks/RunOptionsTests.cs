using System.Reflection;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Client.Tests.Tasks;

/// <summary>How a task is run, as the contract says it.</summary>
public sealed class RunOptionsTests
{
    // What the client itself acts on.
    private static readonly string[] s_own = [nameof(RunOptions.RequestId), nameof(RunOptions.ResubmitWhenLost)];

    private static readonly Dictionary<System.Type, object> s_examples = new()
    {
        [typeof(int)] = 7,
        [typeof(double)] = 2.5,
        [typeof(string)] = "key",
        [typeof(TimeSpan?)] = TimeSpan.FromSeconds(3),
        [typeof(TaskPlacement)] = TaskPlacement.InProcessAsync,
        [typeof(RetryOptions)] = new RetryOptions(),
        [typeof(IReadOnlyList<ulong>)] = new ulong[] { 1, 2 },
        [typeof(IReadOnlyDictionary<string, string>)] = new Dictionary<string, string> { ["a"] = "b" },
        [typeof(DurabilityLevel)] = DurabilityLevel.Disk,
    };

    /// <summary>By reflection, so that an option that is added and forgotten in the message fails.</summary>
    public static TheoryData<string> Options =>
        [.. typeof(RunOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Select(property => property.Name).Except(s_own)];

    [Fact]
    public void The_defaults_cost_no_byte() => Assert.Null(RunOptions.Default.ToMessage());

    [Theory]
    [MemberData(nameof(Options))]
    public void Each_option_is_one_field_of_the_contract(string name)
    {
        var property = typeof(RunOptions).GetProperty(name)!;
        var options = RunOptions.Default with { };
        property.SetValue(options, s_examples[property.PropertyType]);
        var message = options.ToMessage()!;
        var set = TaskOptions.Descriptor.Fields.InDeclarationOrder().Where(
            field => !Equals(field.Accessor.GetValue(message), field.Accessor.GetValue(new TaskOptions())));
        Assert.Equal(name, Assert.Single(set).PropertyName);
    }

    [Theory]
    [InlineData(nameof(RunOptions.QueueTimeout), null)]
    [InlineData(nameof(RunOptions.RunTimeout), null)]
    [InlineData(nameof(RunOptions.TotalTimeout), null)]
    [InlineData(nameof(RunOptions.CancelGrace), Duration.MaxSeconds)]
    [InlineData(nameof(RunOptions.ResultTtl), Duration.MaxSeconds)]
    public void An_infinite_time_is_no_limit(string name, long? seconds)
    {
        var options = RunOptions.Default with { Priority = 1 };
        typeof(RunOptions).GetProperty(name)!.SetValue(options, Timeout.InfiniteTimeSpan);
        var sent = (Duration?)TaskOptions.Descriptor.Fields.InDeclarationOrder().Single(field => field.PropertyName == name)
            .Accessor.GetValue(options.ToMessage()!);
        Assert.Equal(seconds, sent?.Seconds);
    }

    [Fact]
    public void A_retry_that_would_never_start_is_refused_by_name()
    {
        var options = RunOptions.Default with { Retry = new RetryOptions { InitialBackoff = Timeout.InfiniteTimeSpan } };
        var error = Assert.Throws<ArgumentOutOfRangeException>(options.ToMessage);
        Assert.Contains("the second attempt would never start", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TaskPlacement.CrossProcess, Placement.Unspecified)]
    [InlineData(TaskPlacement.InProcess, Placement.InProcessThreads)]
    [InlineData(TaskPlacement.InProcessAsync, Placement.InProcessAsync)]
    [InlineData(TaskPlacement.InProcessSequential, Placement.InProcessSequential)]
    public void A_placement_is_the_contracts(TaskPlacement placement, Placement sent) =>
        Assert.Equal(sent, (RunOptions.Default with { Placement = placement, Priority = 1 }).ToMessage()!.Placement);
}
