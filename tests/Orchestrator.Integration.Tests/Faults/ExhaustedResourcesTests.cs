using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Load;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>F21, and the memory of F2: what the kernel no longer gives. (Limits of processes do not bind root, so that starting one fails here for want of descriptors.)</summary>
public sealed class ExhaustedResourcesTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Without_file_descriptors_it_goes_on_with_whom_it_has_and_recovers_when_there_are_some_again()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        coordinator.ExpectError("Too many open files");
        var ledger = new TaskLedger(Settings.Seed());
        var counts = await coordinator.CountsAsync();
        var before = ProcessUsage.Of(coordinator);
        await using var load = await TaskLoad.StartAsync(
            coordinator.GrpcAddress, coordinator.Token, ledger,
            _ => Specs.Json("sum_of_squares", """{"n": 10}""", new TaskOptions { Retry = new RetryPolicy { MaxAttempts = 5, InitialBackoff = Specs.Seconds(0.1), RetryWorkerLost = true } }), rate: 200);
        await ledger.WaitForMoreAsync(100);
        var limit = ProcessLimits.SetOpenFiles(coordinator.Pid, (ulong)before.Handles + 20);
        var strangers = new List<Socket>();
        try
        {
            // Connections until it has no descriptor left; the kernel still shakes hands for it.
            for (var i = 0; i < 100; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                strangers.Add(socket);
                await socket.ConnectAsync(IPAddress.Loopback, new Uri(coordinator.GrpcAddress).Port, TestContext.Current.CancellationToken);
            }

            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            while (ProcessUsage.Of(coordinator).Handles < before.Handles + 18)
                patience.Token.ThrowIfCancellationRequested();
            // Those who are connected are served, and a worker's end is borne: the spare was there before.
            await ledger.WaitForMoreAsync(200);
            var victim = (await coordinator.WorkersAsync())[0];
            Signals.Send(victim.Pid, Signals.Kill);
            await coordinator.WaitForEventAsync("worker.lost", item => item.Subject == $"{victim.Name}#{victim.Incarnation}");
            await ledger.WaitForMoreAsync(200);
        }
        finally
        {
            ProcessLimits.SetOpenFiles(coordinator.Pid, limit);
            foreach (var socket in strangers)
                socket.Dispose();
        }

        // A new client is served again, and every slot has its worker, as the place of the spare has.
        var invoker = coordinator.Connect();
        var answered = await new TaskService.TaskServiceClient(invoker).RunTaskAsync(new RunTaskRequest { Task = Specs.Json("fibonacci", """{"n": 5}""") }, CoordinatorProcess.Deadline());
        Assert.Equal(TaskState.Succeeded, answered.Result.State);
        using var healing = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!(await coordinator.WorkersAsync()).All(worker => worker.State == WorkerState.Ready) || coordinator.Family().Count < before.Children)
            healing.Token.ThrowIfCancellationRequested();
        await load.FinishAsync(TimeSpan.FromSeconds(30));
        output.WriteLine($"{ledger}; before {before}; after {await ProcessUsage.WaitUntilFlatAsync(coordinator, before, handles: 40)}");
        Assert.Equal(ledger.Accepted, ledger.Of(TaskState.Succeeded));
        // And the one of the new client.
        Assert.Equal(ledger.Accepted + 1, (await coordinator.CountsAsync()).Succeeded - counts.Succeeded);
    }

    [Fact]
    public async Task A_task_that_eats_its_workers_memory_ends_alone_and_says_so()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--allow-chaos", "--workers", "1");
        var worker = (await coordinator.WorkersAsync()).Single();
        var size = File.ReadLines($"/proc/{worker.Pid}/status").First(line => line.StartsWith("VmData:", StringComparison.Ordinal));
        var bytes = ulong.Parse(size.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1_024;
        ProcessLimits.SetData(worker.Pid, bytes + (300UL << 20));
        var neighbour = (await coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 20}"""))).Single();
        var result = await coordinator.RunAsync(Specs.Json("allocate", """{"mb": 4000}"""));
        output.WriteLine($"{result.State}: {result.Error.Message} | {string.Join(" | ", result.Error.PostMortem?.LastStderrLines ?? [])}");
        // Whether the runtime can still throw or has to end its process is the runtime's to say.
        Assert.Contains(result.State, new[] { TaskState.Failed, TaskState.WorkerLost });
        var told = $"{result.Error.Message} {result.Error.Type} {string.Join(' ', result.Error.PostMortem?.LastStderrLines ?? [])}";
        Assert.Contains("memory", told.ToLowerInvariant(), StringComparison.Ordinal);
        await coordinator.WaitAsync([neighbour]);
        // Its worker goes on, or a successor does.
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("fibonacci", """{"n": 5}"""))).State);
    }

    [Fact]
    public async Task Memory_that_runs_out_for_a_whole_worker_is_named_as_the_cause()
    {
        // A heap of 100 MB, as in a small container.
        await using var coordinator = await CoordinatorProcess.StartAsync(
            "--allow-chaos", "--workers", "1", "--worker-command", $"/usr/bin/env DOTNET_GCHeapHardLimit=0x6400000 {CoordinatorProcess.CommandPath} worker --allow-chaos");
        var result = await coordinator.RunAsync(Specs.Json("allocate", """{"mb": 4000}"""));
        output.WriteLine($"{result.State}: {result.Error.Message}");
        Assert.Contains(result.State, new[] { TaskState.Failed, TaskState.WorkerLost });
        Assert.Contains("OutOfMemory", $"{result.Error.Type} {result.Error.Message} {string.Join(' ', result.Error.PostMortem?.LastStderrLines ?? [])}", StringComparison.Ordinal);
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("fibonacci", """{"n": 5}"""))).State);
    }
}
