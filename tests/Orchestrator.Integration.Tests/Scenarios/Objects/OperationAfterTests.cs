using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Scenarios.Objects;

/// <summary>Operations of a session's stream that run after others (<c>Operation.after</c>).</summary>
public sealed class OperationAfterTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    [Fact]
    public async Task Lock_read_write_and_unlock_take_two_messages_each_way()
    {
        using var client = new Client(_coordinator);
        await client.SendAsync(Acquire(1, "trips"), Read(2, "trips", after: 1));
        Assert.Equal(2, (await client.NextAsync()).Outcomes.Count);
        await client.SendAsync(Add(3, "trips"), Release(4, "trips", after: 3));
        Assert.Equal([3, 4], (await client.NextAsync()).Outcomes.Select(outcome => outcome.OperationId));
        Assert.All(client.Outcomes.Values, outcome => Assert.Null(outcome.Error));
        Assert.False((await client.FirstAsync(Acquire(5, "trips", TimeSpan.Zero), 5)).AcquireLock.Status == WaitStatus.Timeout);
    }

    [Fact]
    public async Task What_cannot_be_followed_is_refused_by_name()
    {
        using var client = new Client(_coordinator);
        await client.SendAsync(
            Add(1, "refused", after: 9), Add(2, "refused", after: 2), Add(3, "refused", after: 4), Add(4, "refused"),
            Add(5, "refused", after: 3), Add(0, "refused", after: 4), Add(6, "refused", after: 4));
        await client.ReadAsync(7);
        Assert.Contains("the session knows no operation 9", client.Fails(1, ErrorReason.Invalid), StringComparison.Ordinal);
        Assert.Contains("operation 2 cannot run after itself", client.Fails(2, ErrorReason.Invalid), StringComparison.Ordinal);
        Assert.Contains("the session knows no operation 4", client.Fails(3, ErrorReason.Invalid), StringComparison.Ordinal);
        Assert.Contains("operation 5 was not run, since operation 4", client.Fails(5, ErrorReason.Invalid), StringComparison.Ordinal);
        Assert.Contains("operation_id", client.Fails(0, ErrorReason.Invalid), StringComparison.Ordinal);
        Assert.Equal(2, client.Outcomes[6].UpdateValue.After.Integer);
    }

    [Fact]
    public async Task A_chain_behind_a_blocked_lock_runs_in_order_once_it_is_granted_and_only_the_lock_is_listed_as_a_wait()
    {
        using var holder = new Client(_coordinator);
        using var client = new Client(_coordinator);
        await holder.FirstAsync(Acquire(1, "chain"), 1);
        await client.SendAsync(
            Acquire(1, "chain"), Add(2, "chain", after: 1), Read(3, "chain", after: 2), Release(4, "chain", after: 3),
            Add(5, "chain", after: 1), Add(6, "free"));
        await client.ReadAsync(1);
        Assert.Equal([6UL], client.Outcomes.Keys);
        await _coordinator.UntilWaitsAsync(edges => edges.Count(edge => edge.Object == "locks/chain") == 1);
        await holder.SendAsync(Release(2, "chain"));
        await client.ReadAsync(6);
        Assert.All(client.Outcomes.Values, outcome => Assert.Null(outcome.Error));
        Assert.Equal([1, 2, 3, 4], client.Order.Where(id => id <= 4));
        Assert.Equal(2, client.Outcomes[5].UpdateValue.After.Integer);
        Assert.InRange(client.Outcomes[3].ReadValue.Current.Integer, 1, 2);
    }

    [Fact]
    public async Task Without_success_nothing_that_follows_runs_and_each_names_the_one_that_failed()
    {
        using var holder = new Client(_coordinator);
        using var client = new Client(_coordinator);
        await holder.FirstAsync(Acquire(1, "unheld"), 1);
        await client.SendAsync(
            Acquire(1, "unheld", TimeSpan.Zero), Add(2, "unheld", after: 1), Read(3, "unheld", after: 2),
            Release(4, "unheld"), Add(5, "unheld", after: 4));
        await client.ReadAsync(5);
        Assert.Equal(WaitStatus.Timeout, client.Outcomes[1].AcquireLock.Status);
        Assert.Contains("operation 1 has to succeed before it", client.Fails(2, ErrorReason.DependencyFailed), StringComparison.Ordinal);
        Assert.Contains("operation 1 has to succeed before it", client.Fails(3, ErrorReason.DependencyFailed), StringComparison.Ordinal);
        client.Fails(4, ErrorReason.NotOwner);
        Assert.Contains("operation 4 has to succeed before it", client.Fails(5, ErrorReason.NotOwner), StringComparison.Ordinal);
        // Later, when the failure is only kept.
        await client.SendAsync(Add(6, "unheld", after: 3), Add(7, "unheld", after: 4), Read(8, "unheld"));
        await client.ReadAsync(8);
        Assert.Contains("operation 1 has to succeed before it", client.Fails(6, ErrorReason.DependencyFailed), StringComparison.Ordinal);
        client.Fails(7, ErrorReason.NotOwner);
        Assert.Null(client.Outcomes[8].ReadValue.Current);
    }

    [Fact]
    public async Task A_cancel_ends_the_operation_and_what_follows_it_and_nothing_else()
    {
        using var holder = new Client(_coordinator);
        using var client = new Client(_coordinator);
        await holder.FirstAsync(Acquire(1, "cancelled"), 1);
        await client.SendAsync(
            Acquire(1, "cancelled"), Add(2, "cancelled", after: 1), Add(3, "cancelled", after: 2), Add(4, "cancelled", after: 1));
        await client.CancelAsync(2);
        await client.ReadAsync(2);
        Assert.Contains("cancelled by its caller", client.Fails(2, ErrorReason.Cancelled), StringComparison.Ordinal);
        Assert.Contains("operation 2 has to succeed", client.Fails(3, ErrorReason.Cancelled), StringComparison.Ordinal);
        await client.CancelAsync(1);
        await client.ReadAsync(4);
        client.Fails(1, ErrorReason.Cancelled);
        Assert.Contains("operation 1 has to succeed", client.Fails(4, ErrorReason.Cancelled), StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_the_session_ends_what_is_held_back_fails_with_it_and_when_the_client_has_sent_all_it_is_still_run()
    {
        using var holder = new Client(_coordinator);
        using var lost = new Client(_coordinator);
        using var done = new Client(_coordinator);
        await holder.FirstAsync(Acquire(1, "ending"), 1);
        await lost.SendAsync(Acquire(1, "ending"), Add(2, "ending", after: 1), Read(3, "ending", after: 2), Add(4, "ended"));
        await lost.ReadAsync(1);
        await _coordinator.Sessions.CloseSessionAsync(new CloseSessionRequest { SessionId = lost.Session });
        await lost.ReadAsync(4);
        for (var id = 1UL; id <= 3; id++)
            lost.Fails(id, ErrorReason.SessionLost);
        await done.SendAsync(Acquire(1, "ending"), Add(2, "ending", after: 1), Read(3, "ending", after: 2));
        await done.CompleteAsync();
        await _coordinator.UntilWaitsAsync(edges => edges.Any(edge => edge.Object == "locks/ending"));
        await holder.SendAsync(Release(2, "ending"));
        await done.ReadAsync(3);
        Assert.Equal(1, done.Outcomes[3].ReadValue.Current.Integer);
    }

    [Fact]
    public async Task After_a_broken_stream_all_is_sent_again_in_any_order_and_each_is_done_once()
    {
        using var holder = new Client(_coordinator);
        await holder.FirstAsync(Acquire(1, "resent"), 1);
        string session;
        Operation[] operations = [Acquire(1, "resent"), Add(2, "resent", after: 1), Add(3, "resent", after: 2), Add(4, "resent")];
        using (var broken = new Client(_coordinator))
        {
            await broken.SendAsync(operations);
            await broken.ReadAsync(1);
            session = broken.Session;
        }

        // The wait is the session's; what was held back was dropped with its stream. The last one was answered.
        using (var reversed = new Client(_coordinator, session))
        {
            await reversed.SendAsync(operations[1], operations[2], operations[0], operations[3]);
            await reversed.ReadAsync(1);
            Assert.Equal(1, reversed.Outcomes[4].UpdateValue.After.Integer);
            await holder.SendAsync(Release(2, "resent"));
            await reversed.ReadAsync(4);
            Assert.Equal(3, reversed.Outcomes[3].UpdateValue.After.Integer);
        }

        using var again = new Client(_coordinator, session);
        await again.SendAsync(operations[2], operations[1], Read(5, "resent", after: 3));
        await again.ReadAsync(3);
        Assert.Equal((2, 3), (again.Outcomes[2].UpdateValue.After.Integer, again.Outcomes[3].UpdateValue.After.Integer));
        Assert.Equal(3, again.Outcomes[5].ReadValue.Current.Integer);
    }

    /// <summary>
    /// Random operations, most of them after an earlier one, cut into messages at random, on values in memory and in the journal. An
    /// operation has run exactly if it and all before it in its chain can succeed; otherwise its error names the first that failed.
    /// </summary>
    [Fact]
    public async Task However_they_are_cut_into_messages_exactly_those_run_whose_predecessors_succeeded()
    {
        var random = new Random(20260714);
        for (var program = 0; program < 40; program++)
        {
            using var client = new Client(_coordinator);
            var operations = new List<Operation>();
            var failed = new Dictionary<ulong, ulong>();
            var durability = program % 2 == 0 ? Durability.Memory : Durability.Process;
            var run = 0;
            for (var id = 1UL; id <= 60; id++)
            {
                var after = random.Next(4) == 0 ? 0 : (ulong)random.Next((int)id);
                var canFail = random.Next(8) == 0;
                operations.Add(canFail ? Release(id, "nobody-holds-it", after)
                    : random.Next(3) == 0 ? Read(id, Name(program), after)
                    : Add(id, Name(program), after, durability));
                if (after != 0 && failed.TryGetValue(after, out var first))
                    failed.Add(id, first);
                else if (canFail)
                    failed.Add(id, id);
                else if (operations[^1].UpdateValue is not null)
                    run++;
            }

            for (var sent = 0; sent < operations.Count;)
            {
                var count = random.Next(1, 12);
                await client.SendAsync([.. operations.Skip(sent).Take(count)]);
                sent += count;
            }

            await client.ReadAsync(60);
            foreach (var (id, outcome) in client.Outcomes)
            {
                Assert.Equal(failed.ContainsKey(id), outcome.Error is not null);
                if (failed.TryGetValue(id, out var first) && first != id)
                    Assert.Contains($"operation {first} has to succeed", outcome.Error!.Message, StringComparison.Ordinal);
            }

            var position = client.Order.Select((id, index) => (id, index)).ToDictionary(pair => pair.id, pair => pair.index);
            Assert.All(operations, operation => Assert.True(
                operation.After == 0 || position[operation.After] < position[operation.OperationId]));
            Assert.Equal(run, (await client.FirstAsync(Read(61, Name(program)), 61)).ReadValue.Current?.Integer ?? 0);
        }

        static string Name(int program) => string.Create(CultureInfo.InvariantCulture, $"random-{program}");
    }

    private static Operation Acquire(ulong id, string name, TimeSpan? timeout = null) => new()
    {
        OperationId = id,
        AcquireLock = new AcquireLockRequest { Lock = name, Timeout = timeout is { } limit ? Duration.FromTimeSpan(limit) : null },
    };

    private static Operation Release(ulong id, string name, ulong after = 0) =>
        new() { OperationId = id, After = after, ReleaseLock = new ReleaseLockRequest { Lock = name } };

    private static Operation Add(ulong id, string name, ulong after = 0, Durability durability = Durability.Unspecified) => new()
    {
        OperationId = id,
        After = after,
        UpdateValue = new UpdateValueRequest
        {
            Value = $"after-{name}",
            Edit = new NumberEdit { Add = new Number { Integer = 1 } },
            Durability = durability,
        },
    };

    private static Operation Read(ulong id, string name, ulong after = 0) =>
        new() { OperationId = id, After = after, ReadValue = new ReadValueRequest { Value = $"after-{name}" } };

    private sealed class Client : IDisposable
    {
        private readonly AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> _call;
        private string _resumed;

        public Client(CoordinatorProcess coordinator, string session = "")
        {
            _call = coordinator.Sessions.Connect(CoordinatorProcess.Deadline());
            _resumed = session;
        }

        public string Session { get; private set; } = "";

        public Dictionary<ulong, Outcome> Outcomes { get; } = [];

        public List<ulong> Order { get; } = [];

        public Task SendAsync(params Operation[] operations)
        {
            var request = new ConnectRequest { SessionId = _resumed, Operations = { operations } };
            _resumed = "";
            return _call.RequestStream.WriteAsync(request);
        }

        public Task CancelAsync(params ulong[] ids) =>
            _call.RequestStream.WriteAsync(new ConnectRequest { CancelOperationIds = { ids } });

        public Task CompleteAsync() => _call.RequestStream.CompleteAsync();

        /// <summary>The next message with outcomes.</summary>
        public async Task<ConnectResponse> NextAsync()
        {
            while (await _call.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            {
                var message = _call.ResponseStream.Current;
                Session += message.SessionId;
                foreach (var outcome in message.Outcomes)
                {
                    Outcomes.Add(outcome.OperationId, outcome);
                    Order.Add(outcome.OperationId);
                }

                if (message.Outcomes.Count > 0)
                    return message;
            }

            throw new InvalidOperationException($"the stream ended after {Outcomes.Count} outcomes");
        }

        public async Task ReadAsync(int count)
        {
            while (Outcomes.Count < count)
                await NextAsync();
        }

        public async Task<Outcome> FirstAsync(Operation operation, ulong id)
        {
            await SendAsync(operation);
            while (!Outcomes.ContainsKey(id))
                await NextAsync();
            return Outcomes[id];
        }

        public string Fails(ulong id, ErrorReason reason)
        {
            Assert.Equal(reason, Outcomes[id].Error?.Reason);
            return Outcomes[id].Error.Message;
        }

        public void Dispose() => _call.Dispose();
    }
}
