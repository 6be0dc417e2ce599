using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Interop;

/// <summary>The Python code for the protos of the first release.</summary>
public sealed class FirstReleaseStubs() : PythonStubs(PathOf("protos"), PathOf("python"))
{
    private static string PathOf(string folder) => Repository.PathOf("tests", "Interop", "first-release", folder);
}
