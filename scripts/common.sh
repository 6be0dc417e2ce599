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

# ORCHESTRATOR_COMMAND names another copy of the command to run, such as one that scripts/native-command made.
# shellcheck disable=SC2034
orchestrator="${ORCHESTRATOR_COMMAND:-$root/artifacts/bin/Orchestrator.Cli/release/orchestrator}"

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

need_dotnet() {
    command -v dotnet > /dev/null || fail "the .NET 10 SDK is missing; see https://dotnet.microsoft.com/download"
}

# Ends every process whose environment holds this variable, and names it if the second argument is given; false if there was one.
end_marked() {
    local pid found=0
    for pid in $(grep -lazx "$1" /proc/[0-9]*/environ 2> /dev/null | cut -d / -f 3); do
        [[ -z ${2:-} ]] || echo "$2: $pid: $(tr '\0' ' ' < "/proc/$pid/cmdline" 2> /dev/null)" >&2
        kill -KILL "$pid" 2> /dev/null || true
        found=1
    done
    ((found == 0))
}

# Builds a project or the solution. The compilations share a compiler server of this build's own, which ends with it, and compiler processes do not
# live long enough to gain from profiles: together half the time of a build with a compiler process for each project.
build() (
    mark="LC_ORCHESTRATOR_BUILD=$BASHPID-$RANDOM"
    trap 'exit 130' INT
    trap 'end_marked "$mark" || true' EXIT
    cd "$root"
    env "$mark" DOTNET_TieredPGO=0 dotnet build "$1" -c Release -nodeReuse:false -p:UseSharedCompilation=true -p:SharedCompilationId="${mark#*=}" \
        -v quiet -clp:NoSummary
)

# Builds the command, unless another copy is named. Shows the build's output only if the build fails.
build_command() {
    [[ -z ${ORCHESTRATOR_COMMAND:-} ]] || return 0
    need_dotnet
    local log
    log="$root/artifacts/build.log"
    mkdir -p "$root/artifacts"
    echo "Building …" >&2
    if ! build src/Orchestrator.Cli > "$log" 2>&1; then
        cat "$log" >&2
        fail "the build failed"
    fi
}

# The kind of this machine, as .NET names it.
native_rid() {
    need_dotnet
    (cd "$root" && dotnet msbuild src/Orchestrator.StockWorker -getProperty:NETCoreSdkPortableRuntimeIdentifier)
}

# publish_native PROJECT FOLDER FILES [ARGUMENTS of dotnet publish]: publishes a project as native code and puts these of its files into a folder. Ends
# the script with 3 if the tools for it are missing.
publish_native() (
    need_dotnet
    project=$1 folder=$2 files=$3 name=$(basename "$1")
    shift 3
    missing=()
    command -v clang > /dev/null || command -v gcc > /dev/null || missing+=(clang)
    [[ -f /usr/include/zlib.h ]] || missing+=(zlib1g-dev)
    if ((${#missing[@]})); then
        echo "$(basename "$0"): no native code, since Debian's ${missing[*]} is missing; what it would replace is compiled just in time" >&2
        exit 3
    fi

    mark="LC_ORCHESTRATOR_BUILD=$BASHPID-$RANDOM"
    published="$root/artifacts/publish/$name/native"
    trap 'end_marked "$mark" || true' EXIT
    cd "$root"
    echo "Publishing $name as native code …" >&2
    env "$mark" DOTNET_TieredPGO=0 dotnet publish "$project" -c Release -v quiet -nodeReuse:false \
        -p:UseSharedCompilation=true -p:SharedCompilationId="${mark#*=}" "-p:AsNativeCode=$name" -o "$published" "$@" >&2
    mkdir -p "$folder"
    # Under a name of its own first: the file of a running process cannot be written.
    for file in $files; do
        cp "$published/$file" "$folder/.$file.$BASHPID"
        mv -f "$folder/.$file.$BASHPID" "$folder/$file"
    done
)
