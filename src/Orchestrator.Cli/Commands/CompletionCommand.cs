using System.CommandLine;
using Orchestrator.Cli.Common;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator completion</c></summary>
internal static class CompletionCommand
{
    private static readonly Argument<string> Shell = new("SHELL") { Description = "bash, zsh or fish." };

    // The scripts query the command itself through the parser's suggest directive, so they always match its verbs.
    private const string Bash =
        """
        # Completion of the orchestrator command for bash.
        _orchestrator() {
            local word="${COMP_WORDS[COMP_CWORD]}" suggestion
            COMPREPLY=()
            while IFS= read -r suggestion; do
                [[ "$suggestion" == "$word"* ]] && COMPREPLY+=("$suggestion")
            done < <("${COMP_WORDS[0]}" "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)
        }
        complete -o default -F _orchestrator orchestrator
        """;

    private const string Zsh =
        """
        #compdef orchestrator
        # Completion of the orchestrator command for zsh.
        _orchestrator() {
            # This command alone, up to the cursor: the line may hold others before it.
            local line="${(j: :)words[1,CURRENT-1]} ${PREFIX}"
            local -a suggestions
            suggestions=("${(@f)$("${words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)}")
            suggestions=(${suggestions:#})
            compadd -a suggestions || _files
        }
        # From a folder of $fpath the file is run as the function itself, at the first Tab.
        if [[ "${funcstack[1]}" == _orchestrator ]]; then
            _orchestrator "$@"
        else
            compdef _orchestrator orchestrator
        fi
        """;

    private const string Fish =
        """
        # Completion of the orchestrator command for fish.
        function __orchestrator_suggest
            set -l line (commandline -cp)
            orchestrator "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c orchestrator -a '(__orchestrator_suggest)'
        """;

    public static Command Create()
    {
        Shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        return new Command("completion", "Prints a script that completes this command's verbs, options and values in the shell.") { Shell }
            .Examples(
                "source <(orchestrator completion bash)",
                "orchestrator completion zsh > _orchestrator",
                "orchestrator completion fish > orchestrator.fish")
            .HandledBy((context, _) =>
            {
                var script = context.Get(Shell) switch
                {
                    "zsh" => Zsh,
                    "fish" => Fish,
                    _ => Bash,
                };
                if (context.Terminal.IsJson)
                    context.Terminal.WriteJson(new { shell = context.Get(Shell), script });
                else
                    context.Terminal.Line(script);
                return Task.FromResult(ExitCode.Ok);
            });
    }
}
