using System.Reflection;

namespace Orchestrator.Architecture.Tests;

/// <summary>What the public members of the SDKs have in common.</summary>
public sealed class PublicSignatureTests
{
    private const string Contract = "Orchestrator.V1";
    private const BindingFlags Members =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static TheoryData<string> Sdks => ["Orchestrator.Client", "Orchestrator.Worker", "Orchestrator.App"];

    [Theory]
    [MemberData(nameof(Sdks))]
    public void A_token_parameter_is_the_last_and_is_named_cancellationToken(string assembly)
    {
        var methods = PublicTypes(assembly).SelectMany(VisibleMethods).ToArray();
        Assert.NotEmpty(methods);
        Assert.Empty(
            from method in methods
            let parameters = method.GetParameters()
            from parameter in parameters
            where IsToken(parameter) && (parameter.Position != parameters.Length - 1 || parameter.Name != "cancellationToken")
            select $"{method.DeclaringType!.Name}.{method.Name}: {parameter.Name}");
    }

    [Fact]
    public void Only_the_contract_s_namespace_of_the_client_shows_messages_of_the_contract()
    {
        var types = PublicTypes("Orchestrator.Client").ToLookup(type => type.Namespace == "Orchestrator.Client.Contract");
        Assert.Contains(types[true].SelectMany(Shown), type => type.Namespace == Contract);
        Assert.Empty(
            from type in types[false]
            from shown in Shown(type)
            where shown.Namespace == Contract
            select $"{type.FullName}: {shown.Name}");
    }

    [Theory]
    [MemberData(nameof(Sdks))]
    public void No_type_is_named_like_one_of_another_namespace_that_a_program_uses_beside_it(string assembly)
    {
        var contract = Assembly.Load("Orchestrator.Protocol").GetExportedTypes()
            .Where(type => type.Namespace == Contract && !type.IsNested).Select(type => type.Name).ToHashSet(StringComparer.Ordinal);
        Assert.NotEmpty(contract);
        Assert.Empty(PublicTypes(assembly).Where(type => !type.IsNested && contract.Contains(type.Name)).Select(type => type.FullName));
    }

    private static Type[] PublicTypes(string assembly) => Assembly.Load(assembly).GetExportedTypes();

    private static bool IsToken(ParameterInfo parameter) => parameter.ParameterType == typeof(CancellationToken);

    private static IEnumerable<MethodBase> VisibleMethods(Type type) =>
        typeof(Delegate).IsAssignableFrom(type)
            ? []
            : type.GetMethods(Members).Cast<MethodBase>().Concat(type.GetConstructors(Members)).Where(IsVisible);

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    /// <summary>The types in the signatures of a type's visible members.</summary>
    private static IEnumerable<Type> Shown(Type type) =>
        new[] { type.BaseType }.Concat(type.GetInterfaces())
            .Concat(VisibleMethods(type).SelectMany(method => method.GetParameters().Select(parameter => parameter.ParameterType)
                .Append(method is MethodInfo info ? info.ReturnType : null)))
            .Concat(type.GetFields(Members).Where(field => field.IsPublic || field.IsFamily).Select(field => field.FieldType))
            .Where(shown => shown is not null)
            .SelectMany(shown => Parts(shown!));

    private static IEnumerable<Type> Parts(Type type) =>
        type.HasElementType ? Parts(type.GetElementType()!)
        : type.IsGenericType ? type.GetGenericArguments().SelectMany(Parts).Append(type)
        : [type];
}
