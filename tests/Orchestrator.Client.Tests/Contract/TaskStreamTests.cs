using Grpc.Core;
using Orchestrator.Client.Contract;
using Orchestrator.Client.Errors;
using Orchestrator.V1;

namespace Orchestrator.Client.Tests.Contract;

/// <summary>The client's stream against a scripted coordinator.</summary>
public sealed class TaskStreamTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Every_task_comes_back_once()
    {
        await using var server = await ScriptedCoordinator.StartAsync();
        await using var client = await server.ConnectAsync();
        await using var stream = client.Contract.OpenTaskStream();
        const int Count = 20_000;
        var submitting = Task.Run(async () =>
        {
            for (ulong tag = 0; tag < Count; tag++)
                await stream.SubmitAsync(Spec(tag));
            await stream.CompleteAsync();
        });
        var tags = new List<ulong>();
        await foreach (var result in stream.ReadAllAsync())
            tags.Add(result.Tag);
        await submitting.WaitAsync(Patience);
        await stream.Completion.WaitAsync(Patience);
        Assert.Equal(Enumerable.Range(0, Count).Select(i => (ulong)i), tags);
        Assert.Equal(Count, stream.TasksWritten);
    }

    [Fact]
    public async Task A_callback_that_sends_the_next_task_needs_no_other_thread()
    {
        await using var server = await ScriptedCoordinator.StartAsync();
        await using var client = await server.ConnectAsync();
        var done = new TaskCompletionSource();
        TaskStream? stream = null;
        stream = client.Contract.OpenTaskStream(new TaskStreamOptions
        {
            MaxInFlight = 1,
            OnResult = result =>
            {
                if (result.Tag == 1_000)
                    done.SetResult();
                else
                    Assert.True(stream!.SubmitAsync(Spec(result.Tag + 1)).AsTask().IsCompletedSuccessfully);
            },
        });
        await using (stream)
        {
            await stream.SubmitAsync(Spec(0));
            await done.Task.WaitAsync(Patience);
            Assert.Equal(1_001, stream.MessagesWritten);
        }
    }

    [Fact]
    public async Task Messages_hold_at_most_512_tasks_and_close_at_64_kilobytes()
    {
        await using var server = await ScriptedCoordinator.StartAsync();
        await using var client = await server.ConnectAsync();
        await using var stream = client.Contract.OpenTaskStream();
        await stream.SubmitAsync([.. Enumerable.Range(0, 1_200).Select(i => Spec((ulong)i))]);
        Assert.Equal([512, 512, 176], await SizesAsync(server, 1_200));
        await stream.SubmitAsync([.. Enumerable.Range(0, 7).Select(i => Spec((ulong)i, 30_000))]);
        Assert.Equal([3, 3, 1], await SizesAsync(server, 7));
    }

    [Fact]
    public async Task Submitting_beyond_the_credits_waits_for_results_that_are_read()
    {
        var answer = new TaskCompletionSource();
        await using var server = await ScriptedCoordinator.StartAsync(GrantThenAnswerAfter(2, answer.Task));
        await using var client = await server.ConnectAsync();
        await using var stream = await OpenWithGrantAsync(client, 2);
        var third = stream.SubmitAsync(Spec(2)).AsTask();
        Assert.False(third.IsCompleted);

        // Results alone do not free credits: a client that does not read them blocks only itself.
        answer.SetResult();
        await using var results = stream.ReadBatchesAsync().GetAsyncEnumerator();
        Assert.False(third.IsCompleted);
        Assert.True(await results.MoveNextAsync());
        await third.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_cancelled_wait_submits_nothing_and_the_stream_goes_on()
    {
        var answer = new TaskCompletionSource();
        await using var server = await ScriptedCoordinator.StartAsync(GrantThenAnswerAfter(2, answer.Task));
        await using var client = await server.ConnectAsync();
        await using var stream = await OpenWithGrantAsync(client, 2);
        using var cancel = new CancellationTokenSource();
        var cancelled = stream.SubmitAsync(Spec(99), cancel.Token).AsTask();
        var patient = stream.SubmitAsync(Spec(2)).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(Patience));
        Assert.False(patient.IsCompleted);

        answer.SetResult();
        var completing = stream.CompleteAsync();
        var tags = new List<ulong>();
        await foreach (var result in stream.ReadAllAsync())
            tags.Add(result.Tag);
        await patient.WaitAsync(Patience);
        await completing.WaitAsync(Patience);
        Assert.Equal([0, 1, 2], tags);
    }

    [Fact]
    public async Task A_batch_cancelled_halfway_has_sent_a_front_part_in_order()
    {
        var answer = new TaskCompletionSource();
        await using var server = await ScriptedCoordinator.StartAsync(GrantThenAnswerAfter(3, answer.Task));
        await using var client = await server.ConnectAsync();
        await using var stream = await OpenWithGrantAsync(client, 3, submitted: 0);
        using var cancel = new CancellationTokenSource();
        var batch = stream.SubmitAsync([.. Enumerable.Range(0, 10).Select(i => Spec((ulong)i))], cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => batch.WaitAsync(Patience));
        answer.SetResult();
        var completing = stream.CompleteAsync();
        var tags = new List<ulong>();
        await foreach (var result in stream.ReadAllAsync())
            tags.Add(result.Tag);
        await completing.WaitAsync(Patience);
        Assert.Equal([0, 1, 2], tags);
    }

    [Fact]
    public async Task What_breaks_the_stream_reaches_those_who_wait_read_and_come_later()
    {
        var fail = new TaskCompletionSource();
        await using var server = await ScriptedCoordinator.StartAsync(async (requests, responses) =>
        {
            await responses.WriteAsync(new StreamTasksResponse { Credits = 1 });
            await requests.MoveNext();
            await fail.Task;
            throw new RpcException(new Status(StatusCode.ResourceExhausted, "enough"));
        });
        await using var client = await server.ConnectAsync();
        await using var stream = await OpenWithGrantAsync(client, 1);
        var waiting = stream.SubmitAsync(Spec(1)).AsTask();
        fail.SetResult();
        var error = await Assert.ThrowsAsync<OrchestratorException>(() => waiting.WaitAsync(Patience));
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.Equal("enough", error.Message);
        await Assert.ThrowsAsync<OrchestratorException>(async () => await stream.SubmitAsync(Spec(2)));
        await Assert.ThrowsAsync<OrchestratorException>(() => stream.Completion.WaitAsync(Patience));
        await Assert.ThrowsAsync<OrchestratorException>(async () => await stream.ReadAllAsync().GetAsyncEnumerator().MoveNextAsync());
    }

    [Fact]
    public async Task A_callback_that_throws_ends_the_stream_with_its_error()
    {
        await using var server = await ScriptedCoordinator.StartAsync();
        await using var client = await server.ConnectAsync();
        await using var stream = client.Contract.OpenTaskStream(
            new TaskStreamOptions { OnResult = _ => throw new InvalidDataException("mine") });
        await stream.SubmitAsync(Spec(0));
        var error = await Assert.ThrowsAsync<InvalidDataException>(() => stream.Completion.WaitAsync(Patience));
        Assert.Equal("mine", error.Message);
    }

    [Fact]
    public async Task Disposing_wakes_those_who_wait()
    {
        await using var server = await ScriptedCoordinator.StartAsync(GrantThenAnswerAfter(1, new TaskCompletionSource().Task));
        await using var client = await server.ConnectAsync();
        var stream = await OpenWithGrantAsync(client, 1);
        var waiting = stream.SubmitAsync(Spec(1)).AsTask();
        await stream.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.WaitAsync(Patience));
    }

    [Fact]
    public async Task Options_travel_once_and_cancels_travel_by_tag()
    {
        await using var server = await ScriptedCoordinator.StartAsync();
        await using var client = await server.ConnectAsync();
        await using var stream = client.Contract.OpenTaskStream(new TaskStreamOptions { Order = ResultOrder.Submission, FailFast = true });
        await stream.SubmitAsync(Spec(7));
        var first = await server.Requests.ReadAsync().AsTask().WaitAsync(Patience);
        Assert.Equal(ResultOrder.Submission, first.Options.Order);
        Assert.True(first.Options.FailFast);
        stream.Cancel(7, 8);
        var second = await server.Requests.ReadAsync().AsTask().WaitAsync(Patience);
        Assert.Null(second.Options);
        Assert.Equal([7ul, 8ul], second.CancelTags);
    }

    [Fact]
    public async Task A_stream_without_tasks_still_says_hello()
    {
        await using var server = await ScriptedCoordinator.StartAsync();
        await using var client = await server.ConnectAsync();
        await using var stream = client.Contract.OpenTaskStream();
        await stream.CompleteAsync().WaitAsync(Patience);
        await stream.Completion.WaitAsync(Patience);
        Assert.NotNull((await server.Requests.ReadAsync().AsTask().WaitAsync(Patience)).Options);
    }

    private static TaskSpec Spec(ulong tag, int size = 8) =>
        new() { Handler = "echo", Tag = tag, Input = Payloads.FromBytes(new byte[size]) };

    /// <summary>Opens a stream, submits the tasks that use up the credits, and returns when the client knows of the grant.</summary>
    private static async Task<TaskStream> OpenWithGrantAsync(OrchestratorClient client, int credits, int? submitted = null)
    {
        var stream = client.Contract.OpenTaskStream();
        await stream.Granted.WaitAsync(Patience);
        for (var tag = 0; tag < (submitted ?? credits); tag++)
            await stream.SubmitAsync(Spec((ulong)tag));
        return stream;
    }

    private static Func<IAsyncStreamReader<StreamTasksRequest>, IServerStreamWriter<StreamTasksResponse>, Task> GrantThenAnswerAfter(
        uint credits, Task answer) => async (requests, responses) =>
    {
        await responses.WriteAsync(new StreamTasksResponse { Credits = credits });
        while (await requests.MoveNext())
        {
            var response = new StreamTasksResponse { Credits = credits };
            response.Results.AddRange(requests.Current.Tasks.Select(ScriptedCoordinator.Succeed));
            await answer;
            await responses.WriteAsync(response);
        }
    };

    private static async Task<List<int>> SizesAsync(ScriptedCoordinator server, int tasks)
    {
        var sizes = new List<int>();
        while (sizes.Sum() < tasks)
            sizes.Add((await server.Requests.ReadAsync().AsTask().WaitAsync(Patience)).Tasks.Count);
        return sizes;
    }
}
