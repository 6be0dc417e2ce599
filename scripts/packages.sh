# Installs missing Debian packages, if possible. Sourced, not run.

install_packages() {
    local missing=() package
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null) == installed ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    local as_root=()
    if ((EUID != 0)); then
        if ! command -v sudo > /dev/null || ! sudo -n true 2> /dev/null; then
            echo "$(basename "$0"): these Debian packages are missing, and only root can install them: ${missing[*]}" >&2
            echo "$(basename "$0"): steps that need them are left out; to run all: apt-get install ${missing[*]}" >&2
            return 0
        fi
        as_root=(sudo -n)
    fi
    echo "Installing ${missing[*]} …" >&2
    local log
    log=$(mktemp)
    if ! { "${as_root[@]}" apt-get update && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y --no-install-recommends "${missing[@]}"; } > "$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "$(basename "$0"): the packages could not be installed; steps that need them are left out" >&2
    fi
    rm -f "$log"
}
