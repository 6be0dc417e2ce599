using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Interop;

/// <summary>The Python code that protoc generates from the protos, in its own folder; or the reason why it cannot.</summary>
public class PythonStubs : IAsyncLifetime
{
    /// <summary>Debian's interpreter: its grpcio package belongs to it, whichever interpreter comes first on PATH.</summary>
    public const string Interpreter = "/usr/bin/python3";

    private const string Packages =
        "apt-get install python3 python3-grpcio python3-protobuf protobuf-compiler protobuf-compiler-grpc libprotobuf-dev";

    private readonly string _protos;
    private readonly string _scripts;

    public PythonStubs()
        : this(Repository.PathOf("protos"), Repository.PathOf("tests", "Interop", "python"))
    {
    }

    /// <summary>The code for these protos, for the scripts of this folder.</summary>
    protected PythonStubs(string protos, string scripts) => (_protos, _scripts) = (protos, scripts);

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("orchestrator-stubs-").FullName;

    /// <summary>Why the tests cannot run; null when they can.</summary>
    public string? Missing { get; private set; }

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Interpreter)
            || (await ExternalTool.RunAsync(Interpreter, ["-c", "import grpc.aio, google.protobuf"])).ExitCode != 0)
            Missing = $"Python with grpcio is not installed ({Packages}); scripts/test installs it";
        else if (ExternalTool.Find("protoc") is not { } protoc || ExternalTool.Find("grpc_python_plugin") is not { } plugin
            || !HasOwnProtos(protoc))
            Missing = $"protoc with its Python plugin is not installed ({Packages}); scripts/test installs it";
        else
            await GenerateAsync(protoc, plugin);
    }

    /// <summary>A script of the folder.</summary>
    public string ScriptOf(string name) => Path.Combine(_scripts, name);

    /// <summary>
    /// Runs a script of the folder as a client of a coordinator; skips the test where that is impossible.
    /// </summary>
    public Task<ToolRun> RunAsync(CoordinatorProcess coordinator, string script, IEnumerable<string> arguments, string? token = null)
    {
        Assert.SkipWhen(Missing is not null, Missing ?? "");
        return ExternalTool.RunAsync(
            Interpreter,
            [ScriptOf(script), .. arguments],
            new Dictionary<string, string>
            {
                ["PYTHONPATH"] = Directory,
                ["PYTHONDONTWRITEBYTECODE"] = "1",
                ["ORCHESTRATOR_DATA_DIR"] = coordinator.DataDirectory,
                ["ORCHESTRATOR_TOKEN"] = token ?? "",
            });
    }

    public ValueTask DisposeAsync()
    {
        System.IO.Directory.Delete(Directory, recursive: true);
        GC.SuppressFinalize(this);
        return default;
    }

    /// <summary>Duration and other well-known types come with protoc, but Debian packages their protos separately.</summary>
    private static bool HasOwnProtos(string protoc) =>
        File.Exists(Path.Combine(Path.GetDirectoryName(protoc)!, "..", "include", "google", "protobuf", "duration.proto"));

    private async Task GenerateAsync(string protoc, string plugin)
    {
        var run = await ExternalTool.RunAsync(protoc, [
            "-I", _protos, $"--python_out={Directory}", $"--grpc_out={Directory}", $"--plugin=protoc-gen-grpc={plugin}",
            .. System.IO.Directory.EnumerateFiles(_protos, "*.proto", SearchOption.AllDirectories),
        ]);
        run.Succeeded();
    }
}
