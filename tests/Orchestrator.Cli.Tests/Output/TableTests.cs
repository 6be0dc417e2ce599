using CsCheck;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Tests.Output;

/// <summary>Tables at any width, and in a pipe.</summary>
public sealed class TableTests
{
    private static readonly Gen<(int Width, string[] Titles, string[][] Rows, string[] LeastFirst)> s_tables =
        from width in Gen.Int[1, 200]
        from lengths in Gen.Int[1, 12].Array[1, 8]
        from cells in Gen.Int[0, 40].Array[lengths.Length].Array[0, 5]
        from droppable in Gen.Int[0, lengths.Length - 1].Array[0, lengths.Length]
        let titles = lengths.Select((length, index) => $"{index}".PadRight(length, 't')).ToArray()
        select (width, titles, cells.Select(row => row.Select(length => new string('c', length)).ToArray()).ToArray(),
            droppable.Distinct().Select(index => titles[index]).ToArray());

    [Fact]
    public void The_least_columns_are_dropped_in_their_order_and_no_more_than_necessary() => s_tables.Sample(table =>
    {
        var columns = table.Titles.Select(title => new Column(title)).ToArray();
        var shown = Terminal.Fitting(table.Width, columns, table.Rows, table.LeastFirst);
        Assert.Equal(shown.Order(), shown);
        var dropped = Enumerable.Range(0, columns.Length).Except(shown).Select(index => table.Titles[index]).ToHashSet();
        Assert.Equal(table.LeastFirst.Take(dropped.Count).ToHashSet(), dropped);
        Assert.True(WidthOf(shown) <= table.Width || dropped.Count == table.LeastFirst.Length);
        if (dropped.Count > 0)
        {
            var last = Array.IndexOf(table.Titles, table.LeastFirst[dropped.Count - 1]);
            Assert.True(WidthOf([.. shown, last]) > table.Width);
        }

        int WidthOf(List<int> indices) =>
            indices.Sum(index => table.Rows.Select(row => row[index].Length).Append(table.Titles[index].Length).Max() + 3) + 4;
    });

    [Fact]
    public void A_last_column_that_is_folded_takes_its_title_s_width()
    {
        Column[] columns = [new("name"), new("text")];
        Assert.Equal([0, 1], Terminal.Fitting(40, columns, [["a", new string('x', 1_000)]], ["name"], foldsLast: true));
        Assert.Equal([1], Terminal.Fitting(40, columns, [["a", new string('x', 1_000)]], ["name"]));
    }

    /// <summary>Part 5, 22: a cell cannot begin a row or a column, whatever it holds.</summary>
    [Fact]
    public void In_a_pipe_each_row_is_a_line_and_each_cell_a_field() => Gen.String.Array[3].Array[0, 5].Sample(rows =>
    {
        using var output = new StringWriter { NewLine = "\n" };
        new Terminal(json: false, output, TextWriter.Null).WriteTable([new("a"), new("b"), new("c")], rows, "a");
        var lines = output.ToString().Split('\n');
        Assert.Equal("a\tb\tc", lines[0]);
        Assert.Equal(rows.Length + 2, lines.Length);
        Assert.Empty(lines[^1]);
        Assert.All(lines[1..^1], line => Assert.Equal(3, line.Split('\t').Length));
        Assert.DoesNotContain('\u001b', output.ToString());
    });

    [Fact]
    public void Numbers_stand_at_the_right_and_names_are_not_folded()
    {
        using var output = new StringWriter { NewLine = "\n" };
        new Terminal(json: false, output, TextWriter.Null).WriteGrid(
            [new("name"), new("count", IsNumber: true)], [["short", "1"], ["a name of more words", "1,000"]]);
        var lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.TrimEnd()).ToArray();
        var one = Assert.Single(lines, line => line.Contains("short", StringComparison.Ordinal));
        var thousand = Assert.Single(lines, line => line.Contains("a name of more words", StringComparison.Ordinal));
        Assert.Equal(thousand.Length, one.Length);
        Assert.EndsWith(" 1", one, StringComparison.Ordinal);
    }

    [Fact]
    public void What_goes_into_a_pipe_is_unchanged_and_a_note_is_visible()
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var errors = new StringWriter { NewLine = "\n" };
        var terminal = new Terminal(json: false, output, errors);
        terminal.Line("\u001b[31mred\tand\u0007");
        terminal.Note("\u001b[31mred");
        terminal.Error("\u001b[31mred");
        Assert.Equal("\u001b[31mred\tand\u0007\n", output.ToString());
        Assert.Equal("\\u001b[31mred\n\\u001b[31mred\n", errors.ToString());
    }
}
