using ArchUnitNET.Domain;
using ArchUnitNET.Loader;

namespace Orchestrator.Architecture.Tests;

/// <summary>The allowed arrows between the rooms of a project, as the compiled code has them.</summary>
public sealed class RoomTests
{
    private static readonly Lazy<ArchUnitNET.Domain.Architecture> s_code = new(() => new ArchLoader().LoadAssemblies(
        [.. Rooms.Order.Keys.Select(project => System.Reflection.Assembly.Load(AssemblyOf(project)))]).Build());

    public static TheoryData<string> Projects => [.. Rooms.Order.Keys];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_room_uses_only_rooms_before_it(string project)
    {
        var order = Rooms.Order[project];
        var types = TypesOf(project);
        Assert.NotEmpty(types);
        var faults = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var (type, room) in types)
        {
            var place = Array.IndexOf(order, room);
            if (place < 0)
                faults.Add($"{room} is not in the table: {type.FullName}");
            foreach (var target in type.Dependencies.Select(dependency => dependency.Target).Where(
                target => target is not GenericParameter))
            {
                if (RoomOf(project, target) is { } used && Array.IndexOf(order, used) > place)
                    faults.Add($"{room} → {used}: {type.Name} uses {target.Name}");
            }
        }

        Assert.True(faults.Count == 0, string.Join(Environment.NewLine, faults));
    }

    private static string AssemblyOf(string project) => project == "Cli" ? "orchestrator" : "Orchestrator." + project;

    private static (IType Type, string Room)[] TypesOf(string project) =>
        [.. from type in s_code.Value.Types let room = RoomOf(project, type) where room is not null select (type, room)];

    /// <summary>The room of a type of this project; null for a type of another.</summary>
    private static string? RoomOf(string project, IType type)
    {
        // The contract's generated types share the beginning of their namespace with the Worker project, but not its assembly. Some types
        // that only a signature names, such as pointers, have neither.
        if (type.Assembly?.Name.Split(',')[0] != AssemblyOf(project) || type.Namespace?.FullName is not { } space)
            return null;
        var root = "Orchestrator." + project;
        return space == root ? Rooms.Root
            : space.StartsWith(root + ".", StringComparison.Ordinal) ? space[(root.Length + 1)..].Split('.')[0]
            : null;
    }
}
