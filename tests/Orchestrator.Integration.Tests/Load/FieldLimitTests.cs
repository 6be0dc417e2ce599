using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Grpc.Core;
using Orchestrator.Client.Tasks;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.Integration.Tests.Security;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Load;

/// <summary>
/// Part 5, 16: every string and every list of the contract has a limit above which it is rejected, and lists of messages are bounded by
/// bytes.
/// </summary>
public sealed class FieldLimitTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private static readonly ServiceDescriptor[] Services =
    [
        TaskService.Descriptor, AdminService.Descriptor, SessionService.Descriptor, QueueService.Descriptor, PipeService.Descriptor,
        StateService.Descriptor, SyncService.Descriptor,
    ];

    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    /// <summary>Part 5, 16: a running coordinator rejects each of them, changes nothing and goes on.</summary>
    [Fact]
    public async Task Every_string_and_list_beyond_its_limit_is_refused()
    {
        foreach (var service in Services)
        {
            foreach (var method in service.Methods)
            {
                foreach (var (path, name, isLength) in CasesOf(method.InputType))
                {
                    var request = RequestFields.Build(path, FieldLimits.All.Single(limit => limit.Name == name).Maximum + 1, isLength);
                    var told = await RefusalAsync(method, request, path);
                    Assert.True(told?.Contains($"({name})", StringComparison.Ordinal) == true,
                        $"{method.FullName}, {string.Join('.', path.Select(field => field.Name))}: {told ?? "success"}");
                    Assert.Contains(path[^1].Name, told, StringComparison.Ordinal);
                }
            }
        }

        Assert.Equal(TaskState.Succeeded, (await _coordinator.RunAsync(Specs.Json("sum_of_squares", """{"n": 3}"""))).State);
    }

    /// <summary>Part 5, 16: <c>limits</c> shows the table.</summary>
    [Fact]
    public async Task The_table_is_shown()
    {
        var shown = (await _coordinator.Admin.ListLimitsAsync(new ListLimitsRequest(), CoordinatorProcess.Deadline())).Limits.ToDictionary(
            limit => limit.Name, limit => limit.Maximum);
        foreach (var limit in FieldLimits.All)
            Assert.Equal(limit.Maximum, shown[limit.Name]);
    }

    /// <summary>
    /// Part 5, 16: the longest and most labels allowed do not hide tasks in the list: its pages are bounded by bytes, and together hold all
    /// tasks.
    /// </summary>
    [Fact]
    public async Task Pages_of_tasks_are_bounded_by_bytes()
    {
        var options = new TaskOptions();
        for (var i = 0; i < FieldLimits.Labels.Maximum; i++)
            options.Labels.Add($"label-{i}", new string('x', 1_024));
        var ids = await _coordinator.SubmitAsync(Enumerable.Repeat(Specs.Json("echo", "1", options), 100));
        var listed = new List<ulong>();
        for (var token = ""; listed.Count == 0 || token.Length > 0;)
        {
            var page = await _coordinator.Tasks.ListTasksAsync(
                new ListTasksRequest { PageSize = 1_000, PageToken = token }, CoordinatorProcess.Deadline());
            Assert.InRange(page.CalculateSize(), 1, 2 * Pages.MaxBytes);
            listed.AddRange(page.Tasks.Select(task => task.TaskId));
            token = page.NextPageToken;
        }

        Assert.Superset(ids.ToHashSet(), listed.ToHashSet());
        Assert.Equal(listed.Count, listed.Distinct().Count());
        var (code, output) = await CommandLine.RunAsync("tasks", "--data-dir", _coordinator.DataDirectory);
        Assert.True(code == 0, output);
    }

    /// <summary>The coordinator's error for a request; null where it accepts it.</summary>
    private async Task<string?> RefusalAsync(MethodDescriptor method, IMessage request, FieldDescriptor[] path)
    {
        var isTask = method.FullName.EndsWith("StreamTasks", StringComparison.Ordinal) && path[0].Name == "tasks" && path.Length > 1;
        if (isTask)
            return (await _coordinator.StreamAsync([((StreamTasksRequest)request).Tasks[0]])).Single().Error?.Message;
        if (method.Name == "Connect" && path[0].Name == "operations" && path.Length > 1)
        {
            using var call = _coordinator.Sessions.Connect(CoordinatorProcess.Deadline());
            ((ConnectRequest)request).Operations[0].OperationId = 7;
            await call.RequestStream.WriteAsync((ConnectRequest)request);
            await call.RequestStream.CompleteAsync();
            await foreach (var response in call.ResponseStream.ReadAllAsync())
            {
                if (response.Outcomes.FirstOrDefault(outcome => outcome.OperationId == 7) is { } outcome)
                    return outcome.Error is { Reason: ErrorReason.Invalid } error ? error.Message : null;
            }

            return null;
        }

        var refused = await RpcCatalogue.CallAsync(
            _coordinator.Invoker, method.Service.FullName, method.Name, message: request.ToByteArray());
        if (refused is null)
            return null;
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.Equal("INVALID", refused.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason);
        return refused.Status.Detail;
    }

    /// <summary>Each string and list with its limits: of its length, of its elements, or of both.</summary>
    private static IEnumerable<(FieldDescriptor[] Path, string Limit, bool IsLength)> CasesOf(MessageDescriptor message)
    {
        foreach (var path in RequestFields.PathsOf(message))
        {
            if (FieldLimits.OfString(path[^1]) is { } length)
                yield return (path, length.Name, true);
            if (FieldLimits.OfCount(path[^1]) is { } count)
                yield return (path, count.Name, false);
        }
    }
}
