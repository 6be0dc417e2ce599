using System.Globalization;
using System.Text.Json;
using Orchestrator.Client.Tasks;
using Orchestrator.Integration.Tests.Interop;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>
/// What a worker's token permits: the object services for that worker, nothing for others, and never another worker's task.
/// </summary>
[Trait("Kind", "slow")]
public sealed class WorkerTokenTests(PythonStubs stubs) : IClassFixture<PythonStubs>
{
    [Fact]
    public async Task A_worker_reaches_its_own_sessions_and_no_other_and_nobody_else_uses_its_token()
    {
        Assert.SkipWhen(stubs.Missing is not null, stubs.Missing ?? "");
        using var revealed = new TemporaryDirectory();
        var script = Repository.PathOf("tests", "Interop", "python", "reveal_worker.py");
        await using var coordinator = await CoordinatorProcess.StartAsync(
            "--allow-chaos", "--hot-spares", "0", "--worker-command",
            $"{PythonStubs.Interpreter} {script} {revealed.Path} {CoordinatorProcess.CommandPath}");
        // A running task that holds a lock by its session.
        var task = (await coordinator.SubmitAsync(Specs.Json("hold", """{"locks": ["held"], "ms": 600000}"""))).Single();
        ulong holder = 0;
        while (holder != task)
        {
            var objects = (await coordinator.Sync.ListSyncAsync(new ListSyncRequest(), CoordinatorProcess.Deadline())).Objects;
            holder = objects.SelectMany(item => item.Holders).Select(held => held.TaskId).FirstOrDefault();
        }

        var session = $"task-{task}-1";
        var owner = (await coordinator.Tasks.GetTaskAsync(
            new GetTaskRequest { TaskId = task }, CoordinatorProcess.Deadline())).Task.Attempts[^1].Worker;
        var workers = await coordinator.WorkersAsync();
        var own = workers.Single(worker => owner == $"{worker.Name}#{worker.Incarnation}").Pid;
        var other = workers.Single(worker => worker.Pid != own).Pid;

        var allowed = await CallAsync(revealed, own, own, session);
        Assert.Equal(["unary OK", "resume OK", "nested OK", "own OK", "list OK"], allowed[..5]);
        Assert.StartsWith("tasks PERMISSION_DENIED", allowed[5], StringComparison.Ordinal);

        // Another worker with its own token.
        var foreign = await CallAsync(revealed, other, other, session);
        Assert.All(foreign[..3], line => Assert.Contains(
            $"PERMISSION_DENIED {session} is the session of a task that another worker runs", line, StringComparison.Ordinal));
        Assert.Equal(["own OK", "list OK"], foreign[3..5]);

        // A stolen token: used by another worker, by a program of the same user, and over the public port.
        Assert.All(
            await CallAsync(revealed, own, other, session), line => Assert.Contains("UNAUTHENTICATED", line, StringComparison.Ordinal));
        Assert.All(await CallAsync(revealed, own, 0, session), line => Assert.Contains("UNAUTHENTICATED", line, StringComparison.Ordinal));
        Assert.All(
            await CallAsync(revealed, own, own, session, coordinator.GrpcAddress["http://".Length..]),
            line => Assert.Contains("it is not that worker who sent it", line, StringComparison.Ordinal));

        // Part 5, 18: on every route of both ports, too.
        await RouteMatrix.TryAllAsync(
            coordinator.GrpcAddress, coordinator.HttpAddress, "a stolen worker's token", await TokenOfAsync(revealed, own), role: null);

        // It expires with its worker's incarnation.
        Signals.Send(own, Signals.Kill);
        Assert.Equal(TaskState.WorkerLost, Assert.Single(await coordinator.WaitAsync([task])).State);
        string[] late;
        do
            late = await CallAsync(revealed, own, 0, session);
        while (!late.All(line => line.Contains("UNAUTHENTICATED the token is wrong", StringComparison.Ordinal)));
    }

    private static async Task<string> TokenOfAsync(TemporaryDirectory revealed, int worker) =>
        JsonDocument.Parse(await File.ReadAllTextAsync(
            Path.Combine(revealed.Path, $"{worker}.json"))).RootElement.GetProperty("coordinatorToken").GetString()!;

    /// <summary>One line per call, made with the token of one worker from the process group of another.</summary>
    private async Task<string[]> CallAsync(TemporaryDirectory revealed, int tokenOf, int from, string session, string? address = null)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(revealed.Path, $"{tokenOf}.json"));
        var launch = JsonDocument.Parse(text).RootElement;
        var environment = new Dictionary<string, string> { ["PYTHONPATH"] = stubs.Directory, ["PYTHONDONTWRITEBYTECODE"] = "1" };
        var run = await ExternalTool.RunAsync(
            PythonStubs.Interpreter,
            [
                Repository.PathOf("tests", "Interop", "python", "worker_calls.py"),
                from.ToString(CultureInfo.InvariantCulture),
                address ?? launch.GetProperty("coordinatorAddress").GetString()!,
                launch.GetProperty("coordinatorToken").GetString()!,
                session,
            ],
            environment);
        return run.Succeeded().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
