using System.Diagnostics;
using Orchestrator.Cli.Common;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>
/// Ctrl-C while a verb waits at a shared object: it ends with 130 and no output, its session ends too, and the object loses nothing.
/// </summary>
public sealed class InterruptTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private readonly CoordinatorProcess _coordinator = shared.Coordinator;
    private readonly QueueService.QueueServiceClient _queues = new(shared.Coordinator.Invoker);
    private readonly PipeService.PipeServiceClient _pipes = new(shared.Coordinator.Invoker);

    [Fact]
    public async Task Queue_get_leaves_the_next_item_to_others()
    {
        var queue = await CreateQueueAsync();
        await InterruptWaitAsync("queue", "get", queue);
        await PutAsync(queue, "still here");
        Assert.Equal((1, 0, 0), await QueueAsync(queue));
        Assert.Equal("still here", Read(
            (await _queues.GetAsync(new GetRequest { Queue = queue, Timeout = Specs.Seconds(0) }, Soon)).Items.Single().Body));
    }

    [Fact]
    public async Task Queue_put_that_waits_for_room_puts_nothing_later()
    {
        var queue = await CreateQueueAsync(maxItems: 2);
        await PutAsync(queue, "first");
        // Of several items it has put those that had room.
        await InterruptWaitAsync("queue", "put", queue, "second", "third");
        foreach (var expected in new[] { "first", "second" })
            Assert.Equal(expected, Read(
                (await _queues.GetAsync(new GetRequest { Queue = queue, Timeout = Specs.Seconds(0) }, Soon)).Items.Single().Body));
        Assert.Equal((0, 0, 0), await QueueAsync(queue));
    }

    [Fact]
    public async Task Queue_put_that_waits_for_a_line_has_put_those_before_it()
    {
        var queue = await CreateQueueAsync();
        using var command = Start("queue", "put", queue);
        await command.StandardInput.WriteAsync("one\n{\"two\": 2}\nthr");
        await command.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
        await UntilAsync(async () => (await QueueAsync(queue)).Ready == 2);
        await InterruptAsync(command);
        Assert.Equal((2, 0, 0), await QueueAsync(queue));
    }

    [Fact]
    public async Task Queue_put_takes_each_line_of_its_input_in_order()
    {
        const int Count = 3_000;
        var queue = await CreateQueueAsync(maxItems: Count);
        using var command = Start("queue", "put", queue);
        var errors = command.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await command.StandardInput.WriteAsync(string.Join('\n', Enumerable.Range(0, Count).Select(i => $"line {i}")));
        command.StandardInput.Close();
        await command.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal((ExitCode.Ok, ""), (command.ExitCode, await errors));
        var next = 0;
        while (next < Count)
        {
            foreach (var item in (await _queues.GetAsync(
                new GetRequest { Queue = queue, MaxItems = 500, Timeout = Specs.Seconds(0) }, Soon)).Items)
                Assert.Equal($"line {next++}", Read(item.Body));
        }
    }

    [Fact]
    public async Task Queue_join_ends()
    {
        var queue = await CreateQueueAsync();
        await PutAsync(queue, "not done");
        await InterruptWaitAsync("queue", "join", queue);
        Assert.Equal((1, 0, 0), await QueueAsync(queue));
    }

    [Fact]
    public async Task Lock_run_neither_holds_the_lock_nor_runs_its_command()
    {
        var name = Unique("lock");
        using var directory = new TemporaryDirectory();
        var mark = Path.Combine(directory.Path, "ran");
        var holder = await _coordinator.OpenSessionAsync();
        await _coordinator.Sync.AcquireLockAsync(new AcquireLockRequest { Lock = name, SessionId = holder }, Soon);
        await InterruptWaitAsync("lock", "run", name, "--", "touch", mark);
        await _coordinator.CloseSessionAsync(holder);
        Assert.Equal(WaitStatus.Ok, await TryLockAsync(name, 0));
        Assert.False(File.Exists(mark));
    }

    [Fact]
    public async Task Semaphore_run_neither_holds_a_permit_nor_runs_its_command()
    {
        var name = Unique("semaphore");
        using var directory = new TemporaryDirectory();
        var mark = Path.Combine(directory.Path, "ran");
        var holder = await _coordinator.OpenSessionAsync();
        var acquire = new AcquireSemaphoreRequest
        {
            Semaphore = name,
            InitialPermits = 1,
            Bounded = true,
            SessionId = holder,
            Timeout = Specs.Seconds(0)
        };
        Assert.Equal(WaitStatus.Ok, (await _coordinator.Sync.AcquireSemaphoreAsync(acquire, Soon)).Status);
        await InterruptWaitAsync("semaphore", "run", name, "--permits", "1", "--", "touch", mark);
        await _coordinator.CloseSessionAsync(holder);
        acquire.SessionId = await _coordinator.OpenSessionAsync();
        Assert.Equal(WaitStatus.Ok, (await _coordinator.Sync.AcquireSemaphoreAsync(acquire, Soon)).Status);
        await _coordinator.CloseSessionAsync(acquire.SessionId);
        Assert.False(File.Exists(mark));
    }

    [Fact]
    public async Task Event_wait_ends() => await InterruptWaitAsync("event", "wait", Unique("event"));

    [Fact]
    public async Task Latch_wait_ends()
    {
        var name = Unique("latch");
        await _coordinator.Sync.CountDownLatchAsync(new CountDownLatchRequest { Latch = name, Count = 2 }, Soon);
        await InterruptWaitAsync("latch", "wait", name);
    }

    /// <summary>Like a dying party: its departure must not count as its arrival.</summary>
    [Fact]
    public async Task Barrier_wait_breaks_the_barrier_for_those_who_wait_there()
    {
        var name = Unique("barrier");
        var other = FailsAsync(_coordinator.Sync.WaitBarrierAsync(new WaitBarrierRequest { Barrier = name, Parties = 3 }, Soon));
        await InterruptWaitAsync("barrier", "wait", name, "--parties", "3");
        Assert.Equal("BROKEN_BARRIER", ReasonOf(await other));
    }

    [Fact]
    public async Task Limiter_take_takes_no_permit()
    {
        var name = Unique("limiter");
        var spec = new RateLimiterSpec { Name = name, Permits = 1, Period = Specs.Seconds(3_600) };
        await _coordinator.Sync.CreateRateLimiterAsync(new CreateRateLimiterRequest { Spec = spec }, Soon);
        await _coordinator.Sync.AcquirePermitsAsync(new AcquirePermitsRequest { RateLimiter = name, Permits = 1 }, Soon);
        await InterruptWaitAsync("limiter", "take", name);
    }

    [Fact]
    public async Task Pipe_receive_takes_no_message_and_closes_its_end()
    {
        var pipe = await CreatePipeAsync();
        await InterruptWaitAsync("pipe", "receive", pipe, "A");
        // A sender now gets an error, rather than sending to no receiver.
        var sent = await _pipes.SendAsync(
            new SendRequest { Pipe = pipe, End = PipeEnd.B, Messages = { Text("late") }, Timeout = Specs.Seconds(0) }, Soon);
        Assert.Equal(PipeStatus.BrokenPipe, sent.Status);
    }

    [Fact]
    public async Task Pipe_send_that_waits_for_a_line_has_sent_those_before_it()
    {
        var pipe = await CreatePipeAsync();
        using var command = Start("pipe", "send", pipe, "B");
        await command.StandardInput.WriteAsync("one\n");
        await command.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
        await UntilAsync(async () =>
            (await _pipes.ListPipesAsync(new ListPipesRequest(), Soon)).Pipes.Single(item => item.Spec.Name == pipe).BufferedToA == 1);
        await InterruptAsync(command);
        var session = await _coordinator.OpenSessionAsync();
        var receive = new ReceiveRequest { Pipe = pipe, End = PipeEnd.A, SessionId = session, Timeout = Specs.Seconds(0) };
        Assert.Equal("one", Read((await _pipes.ReceiveAsync(receive, Soon)).Messages.Single()));
        Assert.Equal(PipeStatus.EndOfFile, (await _pipes.ReceiveAsync(receive, Soon)).Status);
        await _coordinator.CloseSessionAsync(session);
    }

    /// <summary>The terminal's own Ctrl-C, which reaches every process of the group.</summary>
    [Fact]
    public async Task In_a_terminal_a_command_under_a_lock_ends_in_its_own_time_and_keeps_the_lock_until_then()
    {
        var name = Unique("lock");
        using var directory = new TemporaryDirectory();
        var gate = Path.Combine(directory.Path, "gate");
        await ExternalPipeAsync(gate);
        // The child traps SIGINT and ends when the test writes to the FIFO, which is later than any grace period of the command.
        await using var terminal = TerminalProcess.Command(
            $"lock run {name} --data-dir {_coordinator.DataDirectory} -- sh -c 'trap \"echo caught\" INT; echo ready; while ! read x < " +
            $"{gate}; do :; done; echo over $x; exit 9'");
        await terminal.SeeAsync("ready");
        await terminal.PressAsync("\u0003");
        await terminal.SeeAsync("caught");
        Assert.Equal(WaitStatus.Timeout, await TryLockAsync(name, 3));
        await File.WriteAllTextAsync(gate, "now\n", TestContext.Current.CancellationToken);
        await terminal.SeeAsync("over now");
        Assert.Equal(9, await terminal.EndAsync());
        Assert.Equal(WaitStatus.Ok, await TryLockAsync(name, 0));
    }

    [Fact]
    public async Task A_SIGTERM_to_lock_run_ends_its_command_and_then_the_hold()
    {
        var name = Unique("lock");
        using var command = Start("lock", "run", name, "--", "sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done");
        Assert.Equal("ready", await command.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        Signals.Send(command.Id, Signals.Term);
        await command.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(5, command.ExitCode);
        Assert.Equal(WaitStatus.Ok, await TryLockAsync(name, 0));
    }

    [Fact]
    public async Task A_SIGTERM_ends_a_verb_as_Ctrl_C_does_with_the_code_of_its_own()
    {
        var before = await SessionsAsync();
        using var command = Start("event", "wait", Unique("event"));
        await UntilWaitsAsync(_coordinator, command);
        await EndAsync(command, Signals.Term);
        Assert.Equal(before, await SessionsAsync());
    }

    [Fact]
    public async Task A_verb_that_waits_for_a_coordinator_without_a_sign_of_life_ends_too()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        await coordinator.Sync.AcquireLockAsync(new AcquireLockRequest { Lock = "l", Lease = Specs.Seconds(3_600) }, Soon);
        foreach (var words in new string[][] { ["lock", "run", "l", "--", "true"], ["event", "wait", "e"] })
        {
            using var command = StartAt(coordinator, words);
            await UntilWaitsAsync(coordinator, command);
            Signals.Send(coordinator.Pid, Signals.Stop);
            try
            {
                Signals.Send(command.Id, Signals.Interrupt);
                await command.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(60));
                Assert.Equal(ExitCode.Interrupted, command.ExitCode);
            }
            finally
            {
                Signals.Send(coordinator.Pid, Signals.Continue);
            }
        }
    }

    /// <summary>As <c>timeout</c> and a terminal may send it: the second signal must not break the shutdown that the first began.</summary>
    [Fact]
    public async Task Two_signals_at_once_end_a_verb_as_one_does()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        using var command = StartAt(coordinator, "event", "wait", "e");
        await UntilWaitsAsync(coordinator, command);
        // A stopped coordinator cannot end the wait, so both signals reach their timeout.
        Signals.Send(coordinator.Pid, Signals.Stop);
        try
        {
            Signals.Send(command.Id, Signals.Interrupt);
            Signals.Send(command.Id, Signals.Term);
            await command.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(60));
            Assert.Contains(command.ExitCode, new[] { ExitCode.Interrupted, 128 + Signals.Term });
            Assert.Equal("", await command.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        }
        finally
        {
            Signals.Send(coordinator.Pid, Signals.Continue);
        }
    }

    private static async Task ExternalPipeAsync(string path)
    {
        using var making = Process.Start("mkfifo", path);
        await making.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, making.ExitCode);
    }

    private static Task UntilWaitsAsync(CoordinatorProcess coordinator, Process command) =>
        coordinator.UntilWaitsAsync(edges => edges.Any(edge => edge.WaiterName.EndsWith($"(pid {command.Id})", StringComparison.Ordinal)));

    /// <summary>Starts the verb, waits until it waits, interrupts it, and checks that its process and its session have ended.</summary>
    private async Task InterruptWaitAsync(params string[] words)
    {
        var before = await SessionsAsync();
        using var command = Start(words);
        await UntilWaitsAsync(_coordinator, command);
        await InterruptAsync(command);
        // A clean end closes its session; a forced end would leave it for half a minute.
        Assert.Equal(before, await SessionsAsync());
        Assert.DoesNotContain(
            (await _coordinator.Admin.ExplainWaitsAsync(new ExplainWaitsRequest(), Soon)).Edges,
            edge => edge.WaiterName.EndsWith($"(pid {command.Id})", StringComparison.Ordinal));
    }

    private static Task InterruptAsync(Process command) => EndAsync(command, Signals.Interrupt);

    private static async Task EndAsync(Process command, int signal)
    {
        Signals.Send(command.Id, signal);
        var output = command.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = command.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await command.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal((128 + signal, "", ""), (command.ExitCode, await output, await errors));
    }

    private async Task<int> SessionsAsync() => (await _coordinator.Admin.GetStatusAsync(new GetStatusRequest(), Soon)).Status.Sessions;

    private async Task<WaitStatus> TryLockAsync(string name, int seconds)
    {
        var session = await _coordinator.OpenSessionAsync();
        var acquire = new AcquireLockRequest { Lock = name, SessionId = session, Timeout = Specs.Seconds(seconds) };
        var status = (await _coordinator.Sync.AcquireLockAsync(acquire, Soon)).Status;
        await _coordinator.CloseSessionAsync(session);
        return status;
    }

    private Process Start(params string[] words) => StartAt(_coordinator, words);

    private static Process StartAt(CoordinatorProcess coordinator, params string[] words)
    {
        var split = Array.IndexOf(words, "--");
        string[] at = ["--data-dir", coordinator.DataDirectory];
        string[] arguments = split < 0 ? [.. words, .. at] : [.. words[..split], .. at, .. words[split..]];
        return Process.Start(new ProcessStartInfo(CoordinatorProcess.CommandPath, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }

    private async Task<string> CreateQueueAsync(int maxItems = 0)
    {
        var queue = Unique("queue");
        await _queues.CreateQueueAsync(new CreateQueueRequest { Spec = new QueueSpec { Name = queue, MaxItems = maxItems } }, Soon);
        return queue;
    }

    private async Task<string> CreatePipeAsync()
    {
        var pipe = Unique("pipe");
        await _pipes.CreatePipeAsync(new CreatePipeRequest { Spec = new PipeSpec { Name = pipe } }, Soon);
        return pipe;
    }

    private async Task PutAsync(string queue, string text) =>
        await _queues.PutAsync(new PutRequest { Queue = queue, Items = { new QueueItem { Body = Text(text) } } }, Soon);

    private async Task<(long Ready, long Leased, int Getters)> QueueAsync(string queue)
    {
        var info = (await _queues.GetQueueAsync(new GetQueueRequest { Queue = queue }, Soon)).Queue;
        return (info.ReadyItems, info.LeasedItems, info.WaitingGetters + info.WaitingPutters);
    }
}
