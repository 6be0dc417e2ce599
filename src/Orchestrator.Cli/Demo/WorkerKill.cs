using System.Diagnostics;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Cli.Output;
using Orchestrator.Client;
using Orchestrator.V1;

namespace Orchestrator.Cli.Demo;

/// <summary>
/// Ends a worker process by SIGKILL in the middle of a stream of tasks, without and with retries, and shows what became of each task; then
/// the same in the pool of Python's standard library, where it is installed.
/// </summary>
internal sealed class WorkerKill(OrchestratorClient client, Terminal terminal, CancellationToken token)
{
    /// <summary>Results to wait for before a kill: by then every worker is at work.</summary>
    private const int ResultsBefore = 8;

    private static readonly RetryPolicy Retry =
        new() { MaxAttempts = 3, RetryWorkerLost = true, InitialBackoff = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(10)) };

    // The tasks of both pools take equally long, and the kill comes after the same number of results.
    private static readonly string Python = $$"""
        import concurrent.futures as futures, os, signal, sys, time
        def work(i):
            time.sleep({{Workload.TaskTime.TotalSeconds}})
            return os.getpid()
        if __name__ == "__main__":
            with futures.ProcessPoolExecutor(int(sys.argv[1])) as pool:
                tasks = [pool.submit(work, i) for i in range(int(sys.argv[2]))]
                for count, task in enumerate(futures.as_completed(tasks), 1):
                    if count == {{ResultsBefore}}:
                        os.kill(task.result(), signal.SIGKILL)
                        break
                futures.wait(tasks)
            failed = [task for task in tasks if task.exception()]
            print(len(tasks) - len(failed), len(failed), type(failed[0].exception()).__name__)
        """;

    /// <summary>Runs all of it.</summary>
    /// <exception cref="DemoFailedException">A task was lost that the kill does not explain.</exception>
    /// <param name="workload">The tasks.</param>
    /// <param name="workers">How many workers the coordinator has; Python's pool gets as many.</param>
    public async Task RunAsync(Workload workload, int workers)
    {
        terminal.Line(
            $"{workload.Tasks.Count} tasks run, and one of the {workers} worker processes is killed (kill -9) in the middle of them:");
        await RunAsync("no retries", workload, null);
        await RunAsync("with retries", workload, Retry);
        if (await PythonAsync(workers, workload.Tasks.Count) is { } python)
            terminal.Line($"  {"Python, the same",-18}{python}");
    }

    private async Task RunAsync(string name, Workload workload, RetryPolicy? retry)
    {
        var before = await InterruptedAsync();
        await using var stream = client.Contract.OpenTaskStream(
            new TaskStreamOptions { Defaults = new TaskOptions { Retry = retry }, Timing = true }, token);
        await stream.SubmitAsync(workload.Tasks, token);
        await stream.CompleteAsync();
        var results = new List<TaskResult>();
        await foreach (var result in stream.ReadAllAsync(token))
        {
            results.Add(result);
            // A kill that falls between two tasks of its worker interrupts none: then another one follows.
            if (results.Count % ResultsBefore != 0 || await InterruptedAsync() > before)
                continue;
            // All tasks take about as long. A result is here so soon that its worker may not have begun its next task yet.
            await Task.Delay(result.Timing.Run.ToTimeSpan() / 2, TimeProvider.System, token);
            await KillAsync(result.Worker);
        }

        var succeeded = results.Count(result => result.State == TaskState.Succeeded);
        var lost = results.Where(result => result.State == TaskState.WorkerLost).ToArray();
        if (succeeded + lost.Length != workload.Tasks.Count)
            throw new DemoFailedException($"of {workload.Tasks.Count} tasks, {succeeded} succeeded and {lost.Length} were lost");
        var retried = results.Count(result => result.Attempt > 1);
        terminal.Line($"  {name,-18}{succeeded} succeeded, {lost.Length} lost{(retried > 0 ? $"; {retried} ran again" : "")}");
        if (lost.Length > 0)
            terminal.Line($"  {"",-18}{Format.Cut($"the lost one: {Format.FirstLine(lost[0].Error.Message)}", 80)}");
    }

    /// <summary>The attempts that the death of a worker has ended so far; a retry shows only later in a result.</summary>
    private async Task<long> InterruptedAsync()
    {
        var tasks = (await client.Contract.GetStatusAsync(token)).Tasks;
        return tasks.WorkerLost + tasks.Retried;
    }

    private async Task KillAsync(string worker)
    {
        var status = await client.Contract.GetStatusAsync(token);
        var slot = worker.Split('#')[0];
        var victim = status.Workers.FirstOrDefault(item => item.Name == slot && item.State == WorkerState.Ready)
            ?? throw new DemoFailedException($"{worker} is not ready any more");
        try
        {
            using var process = Process.GetProcessById(victim.Pid);
            process.Kill();
        }
        catch (Exception exception) when (exception is ArgumentException or System.ComponentModel.Win32Exception)
        {
            throw new DemoFailedException(
                $"process {victim.Pid} of {worker} cannot be killed from here ({exception.Message.TrimEnd('.')}): the demo kills only " +
                "workers on this machine, of this user");
        }
    }

    /// <summary>What becomes of the tasks in a pool of Python; null if it is not installed.</summary>
    private async Task<string?> PythonAsync(int workers, int tasks)
    {
        var file = Path.Combine(Path.GetTempPath(), $"orchestrator-demo-{Environment.ProcessId}.py");
        await File.WriteAllTextAsync(file, Python, token);
        try
        {
            using var process = Process.Start(new ProcessStartInfo("python3", [file, $"{workers}", $"{tasks}"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            });
            if (process is null)
                return null;
            var output = await process.StandardOutput.ReadToEndAsync(token);
            await process.WaitForExitAsync(token);
            return output.Split(' ', StringSplitOptions.TrimEntries) is [var succeeded, var failed, var error]
                ? $"{succeeded} succeeded, {failed} lost: the whole pool is broken ({error})" : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // Not installed.
            return null;
        }
        finally
        {
            File.Delete(file);
        }
    }
}
