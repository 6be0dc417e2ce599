namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>The role of a credential; each role includes the previous ones.</summary>
public enum Role
{
    /// <summary>Read: status, tasks with their results, queues, state, limits, metrics.</summary>
    Observe = 1,

    /// <summary>Also submit and cancel tasks, and use queues, pipes, state and synchronization.</summary>
    Submit = 2,

    /// <summary>Also scale, recycle and drain.</summary>
    Operate = 3,
}

/// <summary>The names of roles.</summary>
public static class RoleNames
{
    /// <summary>All roles, the least first.</summary>
    public static IReadOnlyList<string> All { get; } = ["observe", "submit", "operate"];

    /// <summary>Such as <c>submit</c>.</summary>
    public static string Of(Role role) => All[(int)role - 1];

    /// <summary>The role with this name.</summary>
    public static bool TryParse(string name, out Role role)
    {
        var index = -1;
        for (var i = 0; i < All.Count; i++)
        {
            if (All[i] == name)
                index = i;
        }

        role = (Role)(index + 1);
        return index >= 0;
    }
}
