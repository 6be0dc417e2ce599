using Orchestrator.Cli.Output;
using Orchestrator.Protocol;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Orchestrator.Cli.Top;

/// <summary>Draws one snapshot so that it fits a screen.</summary>
internal static class TopScreen
{
    // The longest line that fits is used.
    private static readonly string[] Keys =
    [
        "q quit   Tab workers/tasks   ↑↓ select   r recycle worker   c cancel task   d drain",
        "q quit  Tab workers/tasks  ↑↓ select  r recycle  c cancel  d drain",
        "q quit  Tab  ↑↓  r recycle  c cancel  d drain",
    ];

    // Rows of each further table; the tasks get the remaining ones.
    private const int MaxRows = 8;

    public static IRenderable Draw(TopSnapshot snapshot, TopRates rates, TopControls controls, int width, int height)
    {
        var parts = new List<IRenderable>();
        foreach (var line in TopTables.Headline(snapshot).SelectMany(line => Packed(line, width)))
            parts.Add(new Text(line, new Style(decoration: Decoration.Bold)));
        // Above the tables, since a small screen cuts off the end.
        parts.Add(controls.Question is { } question
            ? new Text(Cut(question, width), new Style(Color.Yellow, decoration: Decoration.Bold))
            : new Text(Cut(controls.Message.Length > 0 ? controls.Message
                : Keys.FirstOrDefault(keys => keys.Length <= width, Keys[^1]), width), new Style(decoration: Decoration.Dim)));
        var header = parts.Count;

        var workers = snapshot.Status.Workers;
        parts.Add(Table(
            width,
            TopTables.WorkerColumns,
            workers.Select(worker => (TopTables.Cells(snapshot, rates, worker), !controls.OnTasks && worker.Name == controls.Worker)),
            Math.Max(MaxRows, height / 3)));

        var handlers = snapshot.Status.Handlers.OrderByDescending(handler => handler.Counts?.Running)
            .ThenByDescending(handler => handler.Counts?.Succeeded).ToArray();
        var left = height - Lines(Math.Min(workers.Count, Math.Max(MaxRows, height / 3))) - Lines(Math.Min(handlers.Length, MaxRows))
            - Lines(Math.Min(snapshot.Queues.Count, MaxRows)) - header - 2;
        parts.Add(Tasks(snapshot, controls, width, Math.Max(2, left)));
        if (handlers.Length > 0)
            parts.Add(
                Table(width, TopTables.HandlerColumns, handlers.Select(handler => (TopTables.Cells(snapshot, handler), false)), MaxRows));
        if (snapshot.Queues.Count > 0)
            parts.Add(Table(width, TopTables.QueueColumns, snapshot.Queues.Select(queue => (TopTables.Cells(queue), false)), MaxRows));
        return new Rows(parts);

        // A title, a line below it, a blank line on each side.
        static int Lines(int rows) => rows == 0 ? 0 : rows + 4;
    }

    /// <summary>Joins the parts into as few lines as possible.</summary>
    internal static IEnumerable<string> Packed(IEnumerable<string> parts, int width)
    {
        var line = "";
        foreach (var part in parts)
        {
            // A comma follows each part but the last.
            if (line.Length > 0 && line.Length + part.Length + 3 > width)
            {
                yield return Cut(line + ",", width);
                line = "  " + part;
            }
            else
            {
                line += line.Length == 0 ? part : ", " + part;
            }
        }

        yield return Cut(line, width);
    }

    private static string Cut(string line, int width) => line.Length <= width ? line : string.Concat(line.AsSpan(0, width - 1), "…");

    private static IRenderable Tasks(TopSnapshot snapshot, TopControls controls, int width, int rows)
    {
        var running = snapshot.Running;
        if (running.Count == 0)
            return new Text("  No task runs.");
        // The selected row must be visible.
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
        var shown = Terminal.Fitting(width, columns, rows.Select(row => row.Cells).ToArray(), TopTables.LeastFirst);
        var table = new Table { Border = TableBorder.Simple, UseSafeBorder = false };
        // A mark shows the selection without colours.
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
            table.AddRow([new Text(selected ? "▸" : " "), .. shown.Select(
                index => new Text(VisibleText.Line(cells[index]), style) { Overflow = Overflow.Ellipsis })]);
        }

        return table;
    }
}
