using Orchestrator.V1;

namespace Orchestrator.Cli.Top;

/// <summary>The action of a key.</summary>
internal enum TopAction
{
    /// <summary>None, only a redraw.</summary>
    None,
    Quit,
    Recycle,
    Drain,
    Cancel,
}

/// <summary>
/// The keys of <c>orchestrator top</c> and the current selection. Independent of terminal and coordinator: it takes keys and returns the
/// action to perform.
/// </summary>
internal sealed class TopControls
{
    private TopAction _asked;

    /// <summary>The keys select tasks, not workers.</summary>
    public bool OnTasks { get; private set; }

    /// <summary>The selected worker's name.</summary>
    public string? Worker { get; private set; }

    /// <summary>The selected task's id.</summary>
    public ulong? Task { get; private set; }

    /// <summary>The pending question, to be confirmed by y.</summary>
    public string? Question => _asked switch
    {
        TopAction.Recycle => $"Recycle {Worker}? Its successor starts first, no task is lost.  y/n",
        TopAction.Drain => "Drain the coordinator? It takes no new tasks from then on.  y/n",
        TopAction.Cancel => $"Cancel task {Task}?  y/n",
        _ => null,
    };

    /// <summary>The outcome of the last action.</summary>
    public string Message { get; set; } = "";

    /// <summary>Updates the selection: if the selected row has disappeared, selects the first.</summary>
    public void See(TopSnapshot snapshot)
    {
        if (_asked != TopAction.Recycle && !snapshot.Status.Workers.Any(worker => worker.Name == Worker))
            Worker = snapshot.Status.Workers is [var first, ..] ? first.Name : null;
        // A question refers to the row selected when it was asked, even if that row has disappeared meanwhile.
        if (_asked != TopAction.Cancel && !Tasks(snapshot).Any(task => task.TaskId == Task))
            Task = Tasks(snapshot) is [var first, ..] ? first.TaskId : null;
    }

    /// <summary>Takes a key; returns the action to perform on <see cref="Worker"/> or <see cref="Task"/>.</summary>
    public TopAction Press(ConsoleKeyInfo key, TopSnapshot snapshot)
    {
        if (_asked != TopAction.None)
        {
            var action = key.KeyChar is 'y' or 'Y' ? _asked : TopAction.None;
            Message = action == TopAction.None ? "Nothing was done." : "";
            _asked = TopAction.None;
            return action;
        }

        Message = "";
        switch (key)
        {
            case { KeyChar: 'q' or 'Q' } or { Key: ConsoleKey.Escape }:
                return TopAction.Quit;
            case { Key: ConsoleKey.Tab }:
                OnTasks = !OnTasks;
                break;
            case { Key: ConsoleKey.DownArrow } or { KeyChar: 'j' }:
                Move(snapshot, 1);
                break;
            case { Key: ConsoleKey.UpArrow } or { KeyChar: 'k' }:
                Move(snapshot, -1);
                break;
            case { KeyChar: 'r' }:
                Ask(TopAction.Recycle, Worker is not null, "There is no worker to recycle.");
                break;
            case { KeyChar: 'd' }:
                Ask(TopAction.Drain, !snapshot.Status.Draining, "It is draining.");
                break;
            case { KeyChar: 'c' }:
                Ask(TopAction.Cancel, Task is not null, "No task runs.");
                break;
        }

        return TopAction.None;
    }

    private static IReadOnlyList<TaskInfo> Tasks(TopSnapshot snapshot) => snapshot.Running;

    private static int Step(int index, int step, int count) => Math.Clamp(index + step, 0, Math.Max(0, count - 1));

    private void Ask(TopAction action, bool possible, string otherwise)
    {
        if (possible)
            _asked = action;
        else
            Message = otherwise;
    }

    private void Move(TopSnapshot snapshot, int step)
    {
        if (OnTasks && Tasks(snapshot) is { Count: > 0 } tasks)
            Task = tasks[Step(tasks.ToList().FindIndex(task => task.TaskId == Task), step, tasks.Count)].TaskId;
        else if (!OnTasks && snapshot.Status.Workers is { Count: > 0 } workers)
            Worker = workers[Step(workers.ToList().FindIndex(worker => worker.Name == Worker), step, workers.Count)].Name;
    }
}
