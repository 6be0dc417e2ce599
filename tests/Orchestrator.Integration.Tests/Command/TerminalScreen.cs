using System.Globalization;
using System.Text.RegularExpressions;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>The screen of a terminal of a given size after all output: the subset of VT100 that this command uses.</summary>
internal sealed partial class TerminalScreen
{
    private readonly char[][] _rows;
    private readonly int _columns;
    private int _row;
    private int _column;

    public TerminalScreen(string written, int columns, int rows)
    {
        _columns = columns;
        _rows = [.. Enumerable.Range(0, rows).Select(_ => Blank())];
        for (var at = 0; at < written.Length;)
        {
            if (Control().Match(written, at) is { Success: true } match && match.Index == at)
            {
                Obey(match.Groups["code"].Value, match.Groups["numbers"].Value);
                at += match.Length;
            }
            else
            {
                Draw(written[at++]);
            }
        }
    }

    /// <summary>Its lines, without trailing blanks.</summary>
    public IReadOnlyList<string> Lines => [.. _rows.Select(row => new string(row).TrimEnd())];

    private char[] Blank() => Enumerable.Repeat(' ', _columns).ToArray();

    private void Draw(char letter)
    {
        switch (letter)
        {
            case '\r':
                _column = 0;
                break;
            case '\n':
                NextRow();
                break;
            case '\b':
                _column = Math.Max(0, _column - 1);
                break;
            case >= ' ':
                if (_column == _columns)
                {
                    _column = 0;
                    NextRow();
                }

                _rows[_row][_column++] = letter;
                break;
        }
    }

    private void NextRow()
    {
        if (_row < _rows.Length - 1)
        {
            _row++;
            return;
        }

        Array.Copy(_rows, 1, _rows, 0, _rows.Length - 1);
        _rows[^1] = Blank();
    }

    private void Obey(string code, string numbers)
    {
        var values = numbers.TrimStart('?').Split(';').Select(
            number => int.TryParse(number, CultureInfo.InvariantCulture, out var value) ? value : 0).ToArray();
        var steps = Math.Max(1, values[0]);
        switch (code)
        {
            case "A":
                _row = Math.Max(0, _row - steps);
                break;
            case "B":
                _row = Math.Min(_rows.Length - 1, _row + steps);
                break;
            case "C":
                _column = Math.Min(_columns - 1, _column + steps);
                break;
            case "D":
                _column = Math.Max(0, _column - steps);
                break;
            case "H":
                (_row, _column) = (steps - 1, values.Length > 1 ? Math.Max(1, values[1]) - 1 : 0);
                break;
            case "K":
                Array.Fill(_rows[_row], ' ', values[0] == 0 ? Math.Min(_column, _columns) : 0,
                    values[0] switch { 0 => _columns - Math.Min(_column, _columns), 1 => Math.Min(_column + 1, _columns), _ => _columns });
                break;
            case "J" when values[0] == 0:
                Array.Fill(_rows[_row], ' ', Math.Min(_column, _columns), _columns - Math.Min(_column, _columns));
                for (var row = _row + 1; row < _rows.Length; row++)
                    _rows[row] = Blank();
                break;
            case "J" or "h" or "l" when code == "J" || numbers == "?1049":
                for (var row = 0; row < _rows.Length; row++)
                    _rows[row] = Blank();
                break;
        }
    }

    [GeneratedRegex(@"\G(?:\e\[(?<numbers>[?0-9;]*)(?<code>[A-Za-z])|\e[=>])")]
    private static partial Regex Control();
}
