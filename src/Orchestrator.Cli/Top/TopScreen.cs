using Orchestrator.Cli.Output;
using Orchestrator.Contracts;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Orchestrator.Cli.Top;

/// <summary>Draws one snapshot so that it fits a screen.</summary>
internal static class TopScreen
{
    private const string Keys = "q quit   Tab workers/tasks   ↑↓ select   r recycle worker   c cancel task   d drain";

    // Of each further table; the tasks take what is left.
    private const int MaxRows = 8;

    public static IRenderable Draw(TopSnapshot snapshot, TopRates rates, TopControls controls, int width, int height)
    {
        var parts = new List<IRenderable>();
        foreach (var line in TopTables.Headline(snapshot))
            parts.Add(new Text(line.Length > width ? line[..(width - 1)] + "…" : line, new Style(decoration: Decoration.Bold)));
        // Above the tables: what a small screen cuts off is the end.
        parts.Add(controls.Question is { } question
            ? new Text(question, new Style(Color.Yellow, decoration: Decoration.Bold))
            : new Text(controls.Message.Length > 0 ? controls.Message : Keys, new Style(decoration: Decoration.Dim)));

        var workers = snapshot.Status.Workers;
        parts.Add(Table(
            width,
            TopTables.WorkerColumns,
            workers.Select(worker => (TopTables.Cells(snapshot, rates, worker), !controls.OnTasks && worker.Name == controls.Worker)),
            Math.Max(MaxRows, height / 3)));

        var handlers = snapshot.Status.Handlers.OrderByDescending(handler => handler.Counts?.Running).ThenByDescending(handler => handler.Counts?.Succeeded).ToArray();
        var left = height - Lines(Math.Min(workers.Count, Math.Max(MaxRows, height / 3))) - Lines(Math.Min(handlers.Length, MaxRows))
            - Lines(Math.Min(snapshot.Queues.Count, MaxRows)) - 5;
        parts.Add(Tasks(snapshot, controls, width, Math.Max(2, left)));
        if (handlers.Length > 0)
            parts.Add(Table(width, TopTables.HandlerColumns, handlers.Select(handler => (TopTables.Cells(rates, handler), false)), MaxRows));
        if (snapshot.Queues.Count > 0)
            parts.Add(Table(width, TopTables.QueueColumns, snapshot.Queues.Select(queue => (TopTables.Cells(queue), false)), MaxRows));
        return new Rows(parts);

        // A title, a line below it, a blank line on each side.
        static int Lines(int rows) => rows == 0 ? 0 : rows + 4;
    }

    private static IRenderable Tasks(TopSnapshot snapshot, TopControls controls, int width, int rows)
    {
        var running = snapshot.Running;
        if (running.Count == 0)
            return new Text("  No task runs.");
        // The selected one must be among those that are drawn.
        var selected = running.ToList().FindIndex(task => task.TaskId == controls.Task);
        var from = Math.Clamp(selected - rows + 1, 0, Math.Max(0, running.Count - rows));
        return Table(
            width,
            TopTables.TaskColumns,
            running.Skip(from).Select(task => (TopTables.Cells(snapshot, task), controls.OnTasks && task.TaskId == controls.Task)),
            rows);
    }

    private static Table Table(int width, Column[] columns, IEnumerable<(string[] Cells, bool Selected)> all, int most)
    {
        var rows = all.Take(most).ToArray();
        var shown = Fitting(width, columns, rows.Select(row => row.Cells).ToArray());
        var table = new Table { Border = TableBorder.Simple, UseSafeBorder = false };
        // A mark of its own shows what is selected where there are no colours.
        table.AddColumn(new TableColumn("") { Padding = new Padding(0) });
        foreach (var column in shown.Select(index => columns[index]))
        {
            table.AddColumn(new TableColumn(new Text(column.Title, new Style(decoration: Decoration.Bold)))
            {
                Alignment = column.IsNumber ? Justify.Right : Justify.Left,
                NoWrap = true,
            });
        }

        foreach (var (cells, selected) in rows)
        {
            var style = selected ? new Style(decoration: Decoration.Invert) : Style.Plain;
            table.AddRow([new Text(selected ? "▸" : " "), .. shown.Select(index => new Text(VisibleText.Line(cells[index]), style) { Overflow = Overflow.Ellipsis })]);
        }

        return table;
    }

    /// <summary>The columns for which there is room; those that say least go first.</summary>
    internal static List<int> Fitting(int width, Column[] columns, string[][] rows)
    {
        // Beside its text a column takes a space on each side and one between it and the next.
        int Width(int index) => rows.Select(cells => cells[index].Length).Append(columns[index].Title.Length).Max() + 3;
        var shown = Enumerable.Range(0, columns.Length).ToList();
        foreach (var least in TopTables.LeastFirst)
        {
            if (shown.Sum(Width) + 4 <= width)
                break;
            shown.RemoveAll(index => columns[index].Title == least);
        }

        return shown;
    }
}
