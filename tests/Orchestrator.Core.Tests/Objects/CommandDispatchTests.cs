using System.Diagnostics;
using System.Runtime.CompilerServices;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Machines dispatch on the type of a command: none may be forgotten.</summary>
public sealed class CommandDispatchTests
{
    public static TheoryData<string> Commands =>
        [.. typeof(ObjectCommand).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(ObjectCommand)) && !type.IsAbstract)
            .Select(type => type.FullName!)];

    [Theory]
    [MemberData(nameof(Commands))]
    public void The_machine_of_its_primitive_executes_a_command(string name)
    {
        var command = (ObjectCommand)RuntimeHelpers.GetUninitializedObject(
            typeof(ObjectCommand).Assembly.GetType(name, throwOnError: true)!);
        var machines = new ObjectEngine(new ObjectEngineOptions()).Machines;
        // Its arguments are missing, so it may fail in any way except as a command of another primitive.
        Assert.IsNotType<UnreachableException>(Record.Exception(() => machines.Of(command).Apply(command)));
    }
}
