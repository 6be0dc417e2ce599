# Shared by the scripts. Sourced, not run.
set -euo pipefail

# Ctrl-C also ends the script, not only the program that it waits for.
trap 'exit 130' INT

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# No build server of any kind may stay behind: the scripts leave no process that the caller did not start.
export MSBUILDDISABLENODEREUSE=1
export DOTNET_CLI_USE_MSBUILD_SERVER=0
export DOTNET_CLI_TELEMETRY_OPTOUT=1
export DOTNET_NOLOGO=1

build_flags=(-c Release -nodeReuse:false -p:UseSharedCompilation=false -v quiet -clp:NoSummary)

# shellcheck disable=SC2034
orchestrator="$root/artifacts/bin/Orchestrator.Cli/release/orchestrator"

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

need_dotnet() {
    command -v dotnet > /dev/null || fail "the .NET 10 SDK is missing; see https://dotnet.microsoft.com/download"
}

# Builds the command. Shows the build's output only if the build fails.
build_command() {
    need_dotnet
    local log
    log="$root/artifacts/build.log"
    mkdir -p "$root/artifacts"
    echo "Building …" >&2
    if ! (cd "$root" && dotnet build src/Orchestrator.Cli "${build_flags[@]}") > "$log" 2>&1; then
        cat "$log" >&2
        fail "the build failed"
    fi
}
