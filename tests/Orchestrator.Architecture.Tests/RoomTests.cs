using System.Globalization;
using System.Text;
using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using Orchestrator.TestKit;

namespace Orchestrator.Architecture.Tests;

/// <summary>The allowed arrows between the rooms of a project, as the compiled code has them.</summary>
public sealed class RoomTests
{
    private const string MapBegins = "<!-- map of the rooms: drawn from the code -->";
    private const string MapEnds = "<!-- end of the map -->";

    private static readonly Lazy<ArchUnitNET.Domain.Architecture> s_code = new(() => new ArchLoader().LoadAssemblies(
        [.. Rooms.Order.Keys.Select(project => System.Reflection.Assembly.Load(AssemblyOf(project)))]).Build());

    public static TheoryData<string> Projects => [.. Rooms.Order.Keys];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_room_uses_only_rooms_before_it(string project)
    {
        var order = Rooms.Order[project].Select(room => room.Name).ToArray();
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

    /// <summary>The map of rooms in docs/architecture.md is what the code has; ORCHESTRATOR_UPDATE_SNAPSHOTS=1 draws it anew.</summary>
    [Fact]
    public void The_map_in_the_documentation_is_that_of_the_code()
    {
        var path = Repository.PathOf("docs", "architecture.md");
        var page = File.ReadAllText(path);
        var from = page.IndexOf(MapBegins, StringComparison.Ordinal) + MapBegins.Length;
        var to = page.IndexOf(MapEnds, StringComparison.Ordinal);
        var map = Map();
        if (Environment.GetEnvironmentVariable("ORCHESTRATOR_UPDATE_SNAPSHOTS") == "1")
            File.WriteAllText(path, page[..from] + map + page[to..]);
        else
            Assert.Equal(map, page[from..to]);
    }

    private static string Map()
    {
        var map = new StringBuilder("\n");
        foreach (var (project, rooms) in Rooms.Order)
        {
            map.Append(CultureInfo.InvariantCulture, $"\n### Orchestrator.{project}\n\n| room | what it is for | uses |\n|---|---|---|\n");
            var types = TypesOf(project);
            foreach (var room in rooms)
            {
                var used = types.Where(type => type.Room == room.Name).SelectMany(type => Uses(type.Type))
                    .Select(target => RoomOf(project, target)).ToHashSet();
                var names = rooms.Where(other => other != room && used.Contains(other.Name)).Select(other => other.Name);
                map.Append(CultureInfo.InvariantCulture, $"| {room.Name} | {room.Purpose} | {string.Join(", ", names)} |\n");
            }
        }

        return map.Append('\n').ToString();
    }

    private static IEnumerable<IType> Uses(IType type) =>
        type.Dependencies.Select(dependency => dependency.Target).Where(target => target is not GenericParameter);

    private static string AssemblyOf(string project) => project switch
    {
        "Cli" => "orchestrator",
        "Bench" => "orchestrator-bench",
        _ => "Orchestrator." + project,
    };

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
        return space == root ? Room.Root
            : space.StartsWith(root + ".", StringComparison.Ordinal) ? space[(root.Length + 1)..].Split('.')[0]
            : null;
    }
}
