using System.Reflection;
using System.Runtime.CompilerServices;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Synchronous;

namespace Orchestrator.Client.Tests;

/// <summary>The synchronous methods beside the asynchronous ones.</summary>
public sealed class SynchronousApiTests
{
    // They yield for as long as they are read, or belong to what does.
    private static readonly string[] s_streams =
        ["ReadAllAsync", "WatchAsync", "LeaseAllAsync", "ReceiveAllAsync", "AttachDirectAsync", "DisposeAsync"];

    public static TheoryData<string> Asynchronous => [.. Methods().Select(Describe).Distinct()];

    [Theory]
    [MemberData(nameof(Asynchronous))]
    public void Each_method_of_a_shared_object_has_a_synchronous_twin(string method)
    {
        var twins = typeof(SynchronousLocks).Assembly.GetExportedTypes()
            .Where(type => type.Namespace == typeof(SynchronousLocks).Namespace)
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static))
            .Where(twin => twin.IsDefined(typeof(ExtensionAttribute), inherit: false))
            .Select(twin => Describe(
                Name(twin.GetParameters()[0].ParameterType), twin.Name + "Async", twin.GetParameters().Skip(1), twin.ReturnType));
        Assert.Contains(method, twins);
    }

    private static IEnumerable<MethodInfo> Methods() => typeof(SharedLock).Assembly.GetExportedTypes()
        .Where(type => type.Namespace == typeof(SharedLock).Namespace
            && (type.Name.StartsWith("Shared", StringComparison.Ordinal) || type.Name is "LockHold" or "PermitHold" or "LeasedItem`1"))
        .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
        .Where(method => method.Name.EndsWith("Async", StringComparison.Ordinal) && !s_streams.Contains(method.Name));

    private static string Describe(MethodInfo method) =>
        Describe(Name(method.DeclaringType!), method.Name, method.GetParameters(), Awaited(method.ReturnType));

    private static string Describe(string type, string name, IEnumerable<ParameterInfo> parameters, Type result) =>
        $"{type}.{name}({string.Join(", ", parameters.Select(Show))}) → {Name(result)}";

    private static string Show(ParameterInfo parameter) =>
        Name(parameter.ParameterType) + (parameter.HasDefaultValue ? $" = {parameter.DefaultValue ?? "default"}" : "");

    private static Type Awaited(Type task) => task.IsGenericType ? task.GetGenericArguments()[0] : typeof(void);

    private static string Name(Type type) => !type.IsGenericType ? type.Name
        : $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
}
