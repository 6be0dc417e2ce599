using Orchestrator.App;
using Orchestrator.Cli;
using Orchestrator.Cli.Bench.Bare;
using Orchestrator.Cli.Bench.Beside;
using Orchestrator.Cli.Bench.Objects.Partner;
using Orchestrator.Cli.Bench.Pool;
using Orchestrator.Cli.Bench.Scale;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Guide;

// Before the thread pool begins: its threads that have nothing to do wait at once. By spinning first, an idle coordinator took half as
// much again of a processor, and tasks were not faster. In a client, which waits for one answer after another, each finds a thread awake.
if (args is ["serve", ..])
    AppContext.SetData("System.Threading.ThreadPool.UnfairSemaphoreSpinLimit", "0");

// Latency-critical processes come first, before the parser and the terminal library are even loaded.
return args switch
{
    ["worker", ..] => await WorkerCommand.RunAsync(args[1..]),
    [OrchestratorApp.WorkerArgument, BenchPool.Role, ..] => await BenchPool.RunWorkerAsync(args),
    // A worker of `orchestrator guide`, which has its own handlers.
    [OrchestratorApp.WorkerArgument, ..] => await GuideProgram.Create(args).RunWorkerAsync(),
    ["bench-echo", ..] => await BareServer.RunEchoAsync(args[1..]),
    ["bench-proxy", ..] => await BareServer.RunProxyAsync(args[1..]),
    [ScaleCoordinator.Verb, ..] => await ScaleCoordinator.ServeAsync(args[1..]),
    [SaturatingClient.Verb, ..] => await SaturatingClient.RunAsync(args[1..]),
    [PartnerProcess.Verb, ..] => await PartnerJobs.RunAsync(args[1..]),
    _ => StartConditions.Meet(args is [var verb, ..] ? verb : "") ? await CommandLine.RunAsync(args) : ExitCode.TaskFailed,
};
