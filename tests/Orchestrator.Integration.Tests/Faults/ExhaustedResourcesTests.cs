using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Load;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>
/// F21, and the memory part of F2: resources that the kernel no longer grants. (A process limit does not bind root and is not tested.)
/// </summary>
public sealed class ExhaustedResourcesTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Clients_cannot_take_its_last_file_descriptor_and_workers_are_replaced_meanwhile()
    {
        const int Strangers = 200;
        await using var coordinator = await CoordinatorProcess.StartBehindAsync(["/usr/bin/prlimit", "--nofile=450:450"]);
        var ledger = new TaskLedger(Settings.Seed());
        var counts = await coordinator.CountsAsync();
        var before = ProcessUsage.Of(coordinator);
        await using var load = await TaskLoad.StartAsync(
            coordinator.GrpcAddress, coordinator.Token, ledger,
            _ => Specs.Json("sum_of_squares", """{"n": 10}""", new TaskOptions
            {
                Retry =
                new RetryPolicy { MaxAttempts = 5, InitialBackoff = Specs.Seconds(0.1), RetryWorkerLost = true }
            }), rate: 200);
        await ledger.WaitForMoreAsync(100);
        var strangers = new List<Socket>();
        try
        {
            // More connections than it has free descriptors, on both ports.
            for (var i = 0; i < 2 * Strangers; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                strangers.Add(socket);
                await socket.ConnectAsync(IPAddress.Loopback, new Uri(
                    i % 2 == 0 ? coordinator.GrpcAddress : coordinator.HttpAddress).Port, TestContext.Current.CancellationToken);
            }

            // The fault: most of them are rejected at once.
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            while (strangers.Count(IsClosed) < Strangers)
                patience.Token.ThrowIfCancellationRequested();
            // Connected clients are served, and the coordinator survives a worker's death: the worker is replaced, and so is the spare that
            // replaces it.
            await ledger.WaitForMoreAsync(200);
            var victim = (await coordinator.WorkersAsync())[0];
            Signals.Send(victim.Pid, Signals.Kill);
            await coordinator.WaitForEventAsync("worker.lost", item => item.Subject == $"{victim.Name}#{victim.Incarnation}");
            using var healing = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            while (!(await coordinator.WorkersAsync()).All(worker => worker.State == WorkerState.Ready)
                || coordinator.Family().Count < before.Children)
                Assert.False(healing.IsCancellationRequested, $"{coordinator.Family().Count} of {before.Children} processes: " +
                    $"{string.Join("; ", await coordinator.WorkersAsync())}\n{coordinator.Output}");
            await ledger.WaitForMoreAsync(200);
        }
        finally
        {
            strangers.ForEach(socket => socket.Dispose());
        }

        // A new client is served again.
        TaskResult? answered = null;
        using var welcome = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (answered is null)
        {
            try
            {
                var request = new RunTaskRequest { Task = Specs.Json("fibonacci", """{"n": 5}""") };
                answered = (await new TaskService.TaskServiceClient(coordinator.Connect()).RunTaskAsync(
                    request, CoordinatorProcess.Deadline())).Result;
            }
            catch (RpcException exception) when (exception.StatusCode == StatusCode.Unavailable && !welcome.IsCancellationRequested)
            {
                // The coordinator has not yet noticed all closed connections.
            }
        }

        Assert.Equal(TaskState.Succeeded, answered.State);
        await load.FinishAsync(TimeSpan.FromSeconds(30));
        output.WriteLine($"{ledger}; before {before}; after {await ProcessUsage.WaitUntilFlatAsync(coordinator, before, handles: 40)}");
        Assert.Equal(ledger.Accepted, ledger.Of(TaskState.Succeeded));
        // Plus the task of the new client.
        Assert.Equal(ledger.Accepted + 1, (await coordinator.CountsAsync()).Succeeded - counts.Succeeded);
    }

    [Fact]
    public async Task A_limit_of_files_that_is_too_low_is_named_at_the_start()
    {
        using var directory = new TemporaryDirectory();
        var start =
            new System.Diagnostics.ProcessStartInfo("/usr/bin/prlimit") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])["--nofile=350:350", CoordinatorProcess.CommandPath, "serve", "--grpc-port", "0", "--http-port",
            "0", "--workers", "2", "--data-dir", directory.Path])
            start.ArgumentList.Add(argument);
        using var process = System.Diagnostics.Process.Start(start)!;
        var error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, process.ExitCode);
        Assert.Contains("this process may open 350 files, and 408 are needed with 2 workers", Assert.Single(error.TrimEnd().Split('\n')),
            StringComparison.Ordinal);
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
        // Whether the runtime can still throw or must end its process is up to the runtime.
        Assert.Contains(result.State, new[] { TaskState.Failed, TaskState.WorkerLost });
        var told = $"{result.Error.Message} {result.Error.Type} {string.Join(' ', result.Error.PostMortem?.LastStderrLines ?? [])}";
        Assert.Contains("memory", told.ToLowerInvariant(), StringComparison.Ordinal);
        await coordinator.WaitAsync([neighbour]);
        // Its worker goes on, or a successor does.
        var next = await coordinator.RunAsync(Specs.Json("fibonacci", """{"n": 5}"""));
        Assert.True(next.State == TaskState.Succeeded, next.ToString());
    }

    [Fact]
    public async Task Memory_that_runs_out_for_a_whole_worker_is_named_as_the_cause()
    {
        // A heap of 100 MB, as in a small container.
        await using var coordinator = await CoordinatorProcess.StartAsync(
            "--allow-chaos", "--workers", "1", "--worker-command",
            $"/usr/bin/env DOTNET_GCHeapHardLimit=6400000 {CoordinatorProcess.CommandPath} worker --allow-chaos");
        var result = await coordinator.RunAsync(Specs.Json("allocate", """{"mb": 4000}"""));
        output.WriteLine($"{result.State}: {result.Error.Message}");
        Assert.Contains(result.State, new[] { TaskState.Failed, TaskState.WorkerLost });
        Assert.Contains("OutOfMemory", $"{result.Error.Type} {result.Error.Message} " +
            $"{string.Join(' ', result.Error.PostMortem?.LastStderrLines ?? [])}", StringComparison.Ordinal);
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("fibonacci", """{"n": 5}"""))).State);
    }

    private static bool IsClosed(Socket socket)
    {
        try
        {
            return socket.Poll(0, SelectMode.SelectRead) && socket.Available == 0;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
