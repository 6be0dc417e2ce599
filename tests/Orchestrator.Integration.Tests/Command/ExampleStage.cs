using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>A folder with the files that the examples name, and coordinators for them.</summary>
public sealed class ExampleStage : IAsyncLifetime
{
    private readonly TemporaryDirectory _folder = new();
    private readonly List<CoordinatorProcess> _own = [];
    private readonly string _mark = $"LC_ORCHESTRATOR_TEST={Guid.NewGuid():N}";
    private CoordinatorProcess _usual = null!;
    private CoordinatorProcess _grouped = null!;
    private CoordinatorProcess? _stopped;

    /// <summary>Where the examples run.</summary>
    public string Folder => _folder.Path;

    public async ValueTask InitializeAsync()
    {
        foreach (var script in (string[])["deploy", "work", "start", "import"])
            Script(script, "#!/bin/sh\nexit 0\n");
        // A worker in another language is a program that implements the launch contract; this command is one.
        Script("worker.py", "import os, sys\nos.execvp('orchestrator', ['orchestrator', 'worker'] + sys.argv[1:])\n");
        File.WriteAllText(Path.Combine(Folder, "file"), "some text\n");
        File.WriteAllText(
            Path.Combine(Folder, "serve.conf"), "# names as on the command line\nworkers = 1\nallow-chaos = true\n");
        using (var certificates = new TestCertificates())
        {
            var (certificate, key) = certificates.Server();
            File.Copy(certificate, Path.Combine(Folder, "server.pem"));
            File.Copy(key, Path.Combine(Folder, "server.key"));
            File.Copy(certificates.Authority, Path.Combine(Folder, "clients.pem"));
        }

        Directory.CreateSymbolicLink(Path.Combine(Folder, "scripts"), Repository.PathOf("scripts"));
        // Stubs for programs that a test machine may lack; the folder is last on the path.
        Directory.CreateDirectory(Path.Combine(Folder, "bin"));
        File.WriteAllText(Path.Combine(Folder, "Makefile"), "all:\n\ttrue\n");
        Script("bin/make", "#!/bin/sh\nexit 0\n");
        Script("bin/jq", "#!/bin/sh\nexec cat\n");
        _usual = await CoordinatorProcess.StartAsync("--allow-chaos");
        _grouped = await CoordinatorProcess.StartAsync("--worker-command", $"python=1:{CoordinatorProcess.CommandPath} worker");
        // Not on the coordinator of the benches, whose tasks would evict these from the kept history.
        await _grouped.WaitAsync(await _grouped.SubmitAsync(Enumerable.Range(0, 20).Select(_ => Specs.Json("echo"))));
    }

    /// <summary>The environment of the shell that runs an example: it selects the coordinator.</summary>
    public async Task<IReadOnlyDictionary<string, string>> EnvironmentAsync(string words, string example)
    {
        var data = words switch
        {
            "serve" => Directory.CreateTempSubdirectory("orchestrator-test-").FullName,
            // These change the state of their coordinator.
            _ when words.StartsWith("journal ", StringComparison.Ordinal) => await JournalAsync(),
            "logs" or "wait" or "result" => _grouped.DataDirectory,
            "drain" or "load" or "scale" => (await OwnAsync(example)).DataDirectory,
            _ => example.Contains("--group", StringComparison.Ordinal) ? _grouped.DataDirectory : _usual.DataDirectory,
        };
        return new Dictionary<string, string>
        {
            ["ORCHESTRATOR_DATA_DIR"] = data,
            ["HOME"] = Folder,
            ["PATH"] =
                $"{Path.GetDirectoryName(CoordinatorProcess.CommandPath)}:{Environment.GetEnvironmentVariable("PATH")}:{Path.Combine(Folder,
                    "bin")}",
            [_mark.Split('=')[0]] = _mark.Split('=')[1],
        };
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            // Disposes all of them, even when one throws.
            await Task.WhenAll(new[] { _usual, _grouped }.Concat(_own).Select(coordinator => coordinator.DisposeAsync().AsTask()));
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            foreach (var pid in ProcessFamily.Marked(_mark))
                await ProcessFamily.WaitForEndAsync(pid, limit.Token);
        }
        finally
        {
            foreach (var pid in ProcessFamily.Marked(_mark))
                Signals.Send(pid, Signals.Kill);
            _folder.Dispose();
        }
    }

    /// <summary>The folder of a stopped coordinator, with the end of a durable task in its journal.</summary>
    private async Task<string> JournalAsync()
    {
        if (_stopped is null)
        {
            _stopped = await CoordinatorProcess.StartAsync();
            _own.Add(_stopped);
            var durable = new V1.TaskOptions { Durability = V1.Durability.Process };
            await _stopped.WaitAsync(await _stopped.SubmitAsync(Specs.Json("echo", options: durable)));
            _stopped.Terminate();
            await _stopped.WaitForExitAsync();
        }

        return _stopped.DataDirectory;
    }

    private async Task<CoordinatorProcess> OwnAsync(string example)
    {
        if (example.Contains("--group", StringComparison.Ordinal))
            return _grouped;
        var coordinator = await CoordinatorProcess.StartAsync();
        _own.Add(coordinator);
        return coordinator;
    }

    private void Script(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
