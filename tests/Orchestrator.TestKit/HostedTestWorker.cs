using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.TestKit;

/// <summary>A worker in a Generic Host, whose handler uses the host's services.</summary>
public static partial class HostedTestWorker
{
    /// <summary>The value of <see cref="TestWorker.Variable"/> that makes the test program this worker.</summary>
    public const string Value = "hosted";

    /// <summary>The handler that greets whom its input names, and says whether the host has started.</summary>
    public const string GreetHandler = "hosted_greet";

    /// <summary>The arguments by which a coordinator starts such workers from this test program.</summary>
    /// <param name="program">The test program, such as <see cref="Environment.ProcessPath"/>.</param>
    public static string[] Arguments(string program) => ["--worker-command", $"/usr/bin/env {TestWorker.Variable}={Value} {program}"];

    /// <summary>Serves until the coordinator ends it; returns the exit code.</summary>
    public static int Run()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddSingleton(new Greeting("Good day"));
        builder.Services.AddOrchestratorWorker(worker => worker.MapTask<Greeter, string, string>(GreetHandler));
        builder.Build().Run();
        return Environment.ExitCode;
    }

    private sealed record Greeting(string Text);

    private sealed partial class Greeter(Greeting greeting, IHostApplicationLifetime lifetime, ILogger<Greeter> logger)
        : ITaskHandler<string, string>
    {
        public async Task<string> RunAsync(string input, TaskContext context, CancellationToken cancellationToken)
        {
            // With the session of this attempt, which the host's services lead to.
            await context.Value<int>("greeted").AddAsync(1, cancellationToken);
            Greets(logger, input);
            return $"{greeting.Text}, {input}: {lifetime.ApplicationStarted.IsCancellationRequested}";
        }

        [LoggerMessage(Level = LogLevel.Information, Message = "greets {Name}")]
        private static partial void Greets(ILogger logger, string name);
    }
}
