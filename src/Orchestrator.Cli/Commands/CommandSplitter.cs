using System.Text;
using Orchestrator.Cli.Common;

namespace Orchestrator.Cli.Commands;

/// <summary>Splits a string into a command and its arguments like a shell, without variables and patterns.</summary>
internal static class CommandSplitter
{
    public static IReadOnlyList<string> Split(string command)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var started = false;
        var quote = '\0';
        for (var i = 0; i < command.Length; i++)
        {
            var c = command[i];
            if (quote != '\0' ? c == quote : c is '\'' or '"')
            {
                quote = quote == '\0' ? c : '\0';
                started = true;
            }
            else if (c == '\\' && quote != '\'' && i + 1 < command.Length)
            {
                word.Append(command[++i]);
                started = true;
            }
            else if (quote == '\0' && char.IsWhiteSpace(c))
            {
                if (started)
                    words.Add(word.ToString());
                word.Clear();
                started = false;
            }
            else
            {
                word.Append(c);
                started = true;
            }
        }

        if (quote != '\0')
            throw new UsageException($"--worker-command has a quote without an end: {command}");
        if (started)
            words.Add(word.ToString());
        return words.Count > 0 ? words : throw new UsageException("--worker-command is empty.");
    }
}
