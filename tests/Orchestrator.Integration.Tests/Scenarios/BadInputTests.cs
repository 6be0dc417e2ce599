using Google.Rpc;
using Grpc.Core;
using Orchestrator.Client.Tasks;
using Orchestrator.Protocol;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Scenarios;

/// <summary>Bad input: each error names the value and what would be right, and nothing else is affected.</summary>
public sealed class BadInputTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    [Fact]
    public async Task An_unknown_handler_fails_the_task_and_names_near_ones()
    {
        var result = await _coordinator.RunAsync(Specs.Json("fibonaci"));
        Assert.Equal(TaskState.Failed, result.State);
        Assert.Equal(ErrorReason.HandlerNotFound, result.Error.Reason);
        Assert.Contains("'fibonacci'", result.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Malformed_input_of_a_typed_handler_names_the_field()
    {
        var result = await _coordinator.RunAsync(Specs.Json("sum_of_squares", """{"n": "many"}"""));
        Assert.Equal(ErrorReason.Invalid, result.Error.Reason);
        Assert.Contains("'n'", result.Error.Message, StringComparison.Ordinal);
        Assert.Contains("many", result.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_negative_timeout_is_refused_by_name()
    {
        var error = await FailsAsync(Specs.Json("sleep", """{"ms": 1}""", new TaskOptions { RunTimeout = Specs.Seconds(-1) }));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Equal("task.options.run_timeout", error.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations.Single().Field);
        Assert.Equal("INVALID", error.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason);
        Assert.Contains("-1", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_enum_value_is_refused_by_name()
    {
        var error = await FailsAsync(Specs.Json("sleep", "{}", new TaskOptions { Placement = (Placement)99 }));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Contains("99", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_payload_over_the_limit_is_refused_alone()
    {
        var large = Specs.Bytes("echo", new byte[ProtocolConstants.DefaultPayloadBytes + 1], tag: 1);
        var error = await FailsAsync(large);
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.NotNull(error.GetRpcStatus()!.GetDetail<QuotaFailure>());
        Assert.NotNull(error.GetRpcStatus()!.GetDetail<RetryInfo>());
        Assert.Contains("payload_bytes", error.Status.Detail, StringComparison.Ordinal);
        // In a stream the other tasks go on.
        var results = await _coordinator.StreamAsync([large, Specs.Json("sleep", """{"ms": 1}""", tag: 2)]);
        Assert.Equal(ErrorReason.LimitExceeded, results.Single(result => result.Tag == 1).Error.Reason);
        Assert.Equal(TaskState.Succeeded, results.Single(result => result.Tag == 2).State);
    }

    [Fact]
    public async Task A_dependency_on_an_unknown_task_is_refused()
    {
        var error = await FailsAsync(Specs.Json("sleep", "{}", new TaskOptions { DependsOn = { 123456789 } }));
        Assert.Equal(StatusCode.NotFound, error.StatusCode);
        Assert.Contains("123456789", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_task_that_the_engine_refuses_is_answered_on_a_stream_where_nothing_else_happens()
    {
        using var call = _coordinator.Tasks.StreamTasks(CoordinatorProcess.Deadline());
        await call.RequestStream.WriteAsync(new StreamTasksRequest
        {
            Tasks = { Specs.Json("sleep", "{}", new TaskOptions { DependsOn = { 123456789 } }, tag: 5) },
        });
        await foreach (var response in call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            if (response.Results.Count == 0)
                continue;
            var result = Assert.Single(response.Results);
            Assert.Equal((5ul, ErrorReason.NotFound), (result.Tag, result.Error.Reason));
            await call.RequestStream.CompleteAsync();
        }
    }

    [Fact]
    public async Task One_wrong_task_of_a_submission_refuses_all_and_is_named()
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => _coordinator.SubmitAsync(
            Specs.Json("sleep", """{"ms": 1}"""), Specs.Json("sleep", "{}", new TaskOptions { QueueTimeout = Specs.Seconds(-2) })));
        Assert.Equal("tasks[1].options.queue_timeout", error.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations.Single().Field);
    }

    [Fact]
    public async Task An_empty_request_stream_is_told_so()
    {
        using var call = _coordinator.Tasks.StreamTasks(CoordinatorProcess.Deadline());
        await call.RequestStream.CompleteAsync();
        var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Contains("first message", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_tasks_of_a_stream_fail_under_their_tags_in_order()
    {
        var results = await _coordinator.StreamAsync(
            [
                Specs.Json("sleep", """{"ms": 50}""", tag: 1),
                Specs.Json("", tag: 2),
                Specs.Json("sleep", "{}", new TaskOptions { FairnessWeight = -1 }, tag: 3),
                Specs.Json("sleep", """{"ms": 1}""", tag: 4),
            ],
            new StreamOptions { Order = ResultOrder.Submission });
        Assert.Equal([1UL, 2UL, 3UL, 4UL], results.Select(result => result.Tag));
        Assert.Equal(
            [TaskState.Succeeded, TaskState.Failed, TaskState.Failed, TaskState.Succeeded], results.Select(result => result.State));
        Assert.Contains("fairness_weight", results[2].Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_durability_that_does_not_exist_says_so()
    {
        var error = await FailsAsync(Specs.Json("sleep", "{}", new TaskOptions { Durability = (Durability)9 }));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Contains("9 is no Durability", error.Status.Detail, StringComparison.Ordinal);
    }

    private async Task<RpcException> FailsAsync(TaskSpec task) => await Assert.ThrowsAsync<RpcException>(() => _coordinator.RunAsync(task));
}
