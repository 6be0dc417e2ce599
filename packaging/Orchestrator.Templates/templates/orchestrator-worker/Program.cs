using Orchestrator.Worker.Hosting;
using Orchestrator.Worker.Tasks;

// Started by a coordinator: orchestrator serve --worker-command 'dotnet OrchestratorWorker1.dll'
var worker = OrchestratorWorker.CreateBuilder(args);

worker.MapTask("square", (long n) => n * n);

return await worker.RunAsync();
