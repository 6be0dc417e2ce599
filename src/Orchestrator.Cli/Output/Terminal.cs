using Orchestrator.Protocol;
using System.Text.Encodings.Web;
using System.Text.Json;
using Spectre.Console;

namespace Orchestrator.Cli.Output;

/// <summary>
/// The command's output: results to standard output, notes and errors to standard error, so that a pipe carries only
/// results. Colours and bars appear only on a terminal, and no colours if <c>NO_COLOR</c> is set.
/// </summary>
internal sealed class Terminal
{
    private static readonly JsonSerializerOptions JsonOptions = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly TextWriter _writer;
    private readonly TextWriter _errors;
    private readonly Lazy<IAnsiConsole> _out;
    private readonly Lazy<IAnsiConsole> _error;

    public Terminal(bool json, TextWriter output, TextWriter error)
    {
        IsJson = json;
        (_writer, _errors) = (output, error);
        IsRedirected = Console.IsOutputRedirected || output != Console.Out;
        ShowsProgress = !Console.IsErrorRedirected && error == Console.Error && !IsDumb && JobControl.IsInForeground;
        _out = new(() => Create(output, IsRedirected));
        _error = new(() => Create(error, Console.IsErrorRedirected || error != Console.Error));
    }

    /// <summary>The user asked for JSON.</summary>
    public bool IsJson { get; }

    /// <summary>
    /// A person looks at standard error, so that a moving bar makes sense; not beside what another job in front of this one writes there.
    /// </summary>
    public bool ShowsProgress { get; }

    /// <summary>Results go into a pipe or a file.</summary>
    public bool IsRedirected { get; }

    /// <summary>A person looks at the results, on something that can be drawn anew.</summary>
    public bool IsLive => !IsRedirected && !IsDumb && JobControl.IsInForeground;

    public IAnsiConsole Out => _out.Value;

    public IAnsiConsole ErrorConsole => _error.Value;

    private static bool IsDumb => Environment.GetEnvironmentVariable("TERM") is "dumb";

    // A file or a pipe gets the results unchanged.
    public void Line(string text = "") => _writer.WriteLine(IsRedirected ? text : VisibleText.Lines(text));

    /// <summary>Writes a note to standard error.</summary>
    public void Note(string text)
    {
        if (ShowsProgress)
            ErrorConsole.MarkupLineInterpolated($"[dim]{VisibleText.Lines(text)}[/]");
        else
            _errors.WriteLine(VisibleText.Lines(text));
    }

    public void Error(string text)
    {
        if (ShowsProgress)
            ErrorConsole.MarkupLineInterpolated($"[red]{VisibleText.Lines(text)}[/]");
        else
            _errors.WriteLine(VisibleText.Lines(text));
    }

    public void WriteJson(object value) => _writer.WriteLine(JsonValues.ToNode(value)!.ToJsonString(JsonOptions));

    /// <summary>A table of values; in a pipe its cells are separated by tabs, for <c>cut</c> and <c>awk</c>.</summary>
    /// <param name="columns">Its columns.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="leastFirst">Columns to drop on a narrow terminal, in this order.</param>
    public void WriteTable(IReadOnlyList<Column> columns, IEnumerable<IReadOnlyList<string>> rows, params string[] leastFirst)
    {
        if (IsRedirected)
        {
            Line(string.Join('\t', columns.Select(column => column.Title)));
            foreach (var row in rows)
                Line(string.Join('\t', row.Select(VisibleText.Line)));
            return;
        }

        var cells = rows.ToArray();
        // The last column is folded if it does not fit.
        var shown = Fitting(Out.Profile.Width, columns, cells, leastFirst, foldsLast: true);
        WriteGrid([.. shown.Select(index => columns[index])], cells.Select(row => (string[])[.. shown.Select(index => row[index])]));
    }

    /// <summary>The columns that fit; the least important are dropped first.</summary>
    internal static List<int> Fitting(int width, IReadOnlyList<Column> columns, IReadOnlyList<IReadOnlyList<string>> rows,
        IEnumerable<string> leastFirst, bool foldsLast = false)
    {
        // Besides its text, a column takes a space on each side and one separator.
        int Width(int index) => (foldsLast && index == columns.Count - 1
            ? columns[index].Title.Length
            : rows.Select(cells => cells[index].Length).Append(columns[index].Title.Length).Max()) + 3;
        var shown = Enumerable.Range(0, columns.Count).ToList();
        foreach (var least in leastFirst)
        {
            if (shown.Sum(Width) + 4 <= width)
                break;
            shown.RemoveAll(index => columns[index].Title == least);
        }

        return shown;
    }

    /// <summary>A table for people to read, aligned also in a pipe.</summary>
    public void WriteGrid(IReadOnlyList<Column> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var table = new Table { Border = TableBorder.Simple, UseSafeBorder = false };
        foreach (var (index, column) in columns.Index())
        {
            table.AddColumn(new TableColumn(new Markup($"[bold]{Markup.Escape(column.Title)}[/]"))
            {
                Alignment = column.IsNumber ? Justify.Right : Justify.Left,
                // The first column names its row: a folded name can be neither searched nor copied.
                NoWrap = column.IsNumber || index == 0,
            });
        }

        foreach (var row in rows)
            table.AddRow(row.Select(cell => new Text(VisibleText.Line(cell))));
        Out.Write(table);
    }

    /// <summary>A console with this command's style.</summary>
    internal static IAnsiConsole Create(TextWriter writer, bool redirected)
    {
        var plain = redirected || IsDumb;
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = plain ? AnsiSupport.No : AnsiSupport.Yes,
            ColorSystem = plain || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
                ? ColorSystemSupport.NoColors
                : ColorSystemSupport.Standard,
            Interactive = plain ? InteractionSupport.No : InteractionSupport.Yes,
            Out = new AnsiConsoleOutput(writer),
        });
        // A pipe has no width; a table must not be folded to the default of 80 columns.
        if (redirected)
            console.Profile.Width = 160;
        return console;
    }
}

/// <summary>A column of a table.</summary>
/// <param name="Title">Its title.</param>
/// <param name="IsNumber">Whether it is right-aligned.</param>
internal sealed record Column(string Title, bool IsNumber = false);
