# Starts a private coordinator for a script, on free ports, and stops it when the script ends. Sourced, not run.
# Afterwards $data is its data directory. Arguments of start_coordinator go to `orchestrator serve`.

data=
server=

stop_coordinator() {
    local code=$?
    trap - EXIT
    if [[ -n $server ]] && kill -0 "$server" 2> /dev/null; then
        kill -TERM "$server"
        wait "$server" || true
    fi
    if [[ -n $data ]]; then
        rm -rf "$data"
    fi
    exit "$code"
}

start_coordinator() {
    data=$(mktemp -d)
    trap stop_coordinator EXIT
    trap 'exit 143' TERM
    # A separate process group: Ctrl-C on the terminal reaches only this script, which stops the coordinator in order.
    setsid "$orchestrator" serve --grpc-port 0 --http-port 0 --data-dir "$data" "$@" > "$data/serve.log" 2>&1 &
    server=$!
    local deadline=$((SECONDS + 30))
    until [[ -s $data/endpoint.json ]]; do
        if ! kill -0 "$server" 2> /dev/null || ((SECONDS > deadline)); then
            cat "$data/serve.log" >&2
            fail "the coordinator did not start"
        fi
        sleep 0.05
    done
}
