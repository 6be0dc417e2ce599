using System.Globalization;
using System.Text;

namespace Orchestrator.Protocol;

/// <summary>
/// Foreign text for a terminal, a log or a row of a table. Characters that would move the cursor, set a colour, begin another row or change
/// the text direction are shown instead of interpreted.
/// </summary>
public static class VisibleText
{
    /// <summary>The text on one line: line ends and tabs are shown, too.</summary>
    public static string Line(string text) => Show(text, keepsLines: false);

    /// <summary>The text with its own lines and tabs.</summary>
    public static string Lines(string text) => Show(text, keepsLines: true);

    private static string Show(string text, bool keepsLines)
    {
        ArgumentNullException.ThrowIfNull(text);
        var first = IndexOfHidden(text, 0, keepsLines);
        if (first < 0)
            return text;
        var shown = new StringBuilder(text.Length + 16).Append(text, 0, first);
        for (var i = first; i < text.Length; i++)
        {
            var c = text[i];
            if (!IsHidden(c, keepsLines))
                shown.Append(c);
            else if (c is '\n' or '\r' or '\t')
                shown.Append('\\').Append(c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
            else
                shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        }

        return shown.ToString();
    }

    private static int IndexOfHidden(string text, int start, bool keepsLines)
    {
        for (var i = start; i < text.Length; i++)
        {
            if (IsHidden(text[i], keepsLines))
                return i;
        }

        return -1;
    }

    /// <summary>
    /// Control characters of both sets, marks that change or isolate the text direction, and line separators that some terminals
    /// interpret.
    /// </summary>
    private static bool IsHidden(char c, bool keepsLines) => c switch
    {
        '\n' or '\t' => !keepsLines,
        >= ' ' and < '\u007f' => false,
        < '\u00a0' => true,
        '\u061c' or '\u200e' or '\u200f' or (>= '\u2028' and <= '\u202e') or (>= '\u2066' and <= '\u2069') or '\ufeff' => true,
        _ => false,
    };
}
