#!/usr/bin/env bash
# What a client can do, with buf curl and only the address and the token: tasks, a stream, a queue with leases, a lock with its token, a
# dict with guards, a pipe, a deadlock. Prints one line `name: outcome` for each of ../scenarios.json. Needs buf (npm install @bufbuild/buf) and jq.
set -euo pipefail

home="${ORCHESTRATOR_DATA_DIR:-$HOME/.local/state/orchestrator}"
address="$(jq -r .grpc "$home/endpoint.json")"
token="${ORCHESTRATOR_TOKEN:-$(cat "$home/token")}"
unique="buf/$$-$RANDOM"
sessions=()

# One call: call Service/Method 'JSON'. Several documents are the messages of a stream. Every call is limited to 30 seconds. The reflection
# request carries the token, too.
call() {
    timeout 30 buf curl --protocol grpc --http2-prior-knowledge --header "authorization: Bearer $token" --reflect-header '*' \
        --data "$2" "$address/orchestrator.v1.$1"
}

# The first field of a response that jq matches: get .path Service/Method 'JSON'
get() { call "$2" "$3" | jq -r "$1"; }

# The reason of a refused call: google.rpc.ErrorInfo { reason, domain } beside the status. buf shows it in base64 without its padding.
reason() {
    local error
    if error="$(call "$@" 2>&1 > /dev/null)"; then echo OK; else
        jq -r '.details[0].value' <<< "$error" | { base64 -d 2> /dev/null || true; } | tr -c 'A-Z_\n' '\n' | grep -m 1 -E '[A-Z_]{2,}'
    fi
}

# What a client holds belongs to its sessions, and is released when they are closed or expire unused after their time to live.
session() {
    session="$(get .sessionId SessionService/CreateSession "{\"display_name\": \"$1\", \"ttl\": \"120s\"}")"
    sessions+=("$session")
}
close_sessions() {
    local id
    for id in ${sessions[@]+"${sessions[@]}"}; do call SessionService/CloseSession "{\"session_id\": \"$id\"}" > /dev/null; done
    sessions=()
}
acquire() { call SyncService/AcquireLock "{\"lock\": \"$unique/$1\", \"session_id\": \"$2\", \"timeout\": \"${3:-20s}\"}"; }
release() { call SyncService/ReleaseLock "{\"lock\": \"$unique/$1\", \"session_id\": \"$2\"}" > /dev/null; }

outcome='if .state == "TASK_STATE_SUCCEEDED" then .output.json else .error.reason | ltrimstr("ERROR_REASON_") end'
status='.status | sub(".*_STATUS_"; "")'
spec() { echo "{\"handler\": \"${2:-sum_of_squares}\", \"input\": {\"json\": {\"n\": $1}}}"; }

tasks() {
    get ".result | $outcome" TaskService/RunTask "{\"task\": $(spec 1000000)}"
    get ".result | $outcome" TaskService/RunTask "{\"task\": $(spec 1000000 sum_of_square)}"
}

stream() {
    get ".results // [] | .[] | $outcome" TaskService/StreamTasks \
        "{\"options\": {\"order\": \"RESULT_ORDER_SUBMISSION\"}, \"tasks\": [$(spec 3), $(spec 4)]} {\"tasks\": [$(spec 0 sum_of_square), $(spec 5)]}"
}

queue() {
    local name="$unique/queue" item settlement leases=()
    session consumer
    settle() { call QueueService/Settle "{\"queue\": \"$name\", \"lease_ids\": [\"$1\"], \"settlement\": \"$2\", \"session_id\": \"$session\"}"; }
    call QueueService/CreateQueue "{\"spec\": {\"name\": \"$name\", \"kind\": \"QUEUE_KIND_FIFO\"}}" > /dev/null
    call QueueService/Put "{\"queue\": \"$name\", \"items\": [{\"body\": {\"json\": \"a\"}}, {\"body\": {\"json\": \"b\"}}]}" > /dev/null
    for settlement in RETURN DONE DONE; do
        item="$(get '.items[0]' QueueService/Get "{\"queue\": \"$name\", \"leased\": true, \"session_id\": \"$session\", \"timeout\": \"10s\"}")"
        jq -r '"\(.body.json) delivery \(.delivery)"' <<< "$item"
        leases+=("$(jq -r .leaseId <<< "$item")")
        settle "${leases[-1]}" "SETTLEMENT_$settlement" > /dev/null
    done
    settle "${leases[0]}" SETTLEMENT_DONE | jq -r '"\(.staleLeaseIds | length) stale"'
    get '"\(.unfinishedItems // 0) unfinished"' QueueService/Join "{\"queue\": \"$name\", \"timeout\": \"0s\"}"
}

lock() {
    local first second held later
    session first && first="$session"
    session second && second="$session"
    held="$(acquire lock "$first")" && jq -r "$status" <<< "$held"
    acquire lock "$second" 0s | jq -r "$status"
    reason SyncService/ReleaseLock "{\"lock\": \"$unique/lock\", \"session_id\": \"$second\"}"
    release lock "$first"
    later="$(acquire lock "$second")" && jq -r "$status" <<< "$later"
    (($(jq -r .fencingToken <<< "$later") > $(jq -r .fencingToken <<< "$held"))) && echo "token grew" || echo "token did not grow"
}

dict() {
    local early late version
    session writer
    set_to() { echo "{\"dict\": \"$unique/dict\", \"edits\": [{\"key\": \"n\", \"set\": {\"json\": $1}}]${2:+, \"guard\": $2}}"; }
    version="$(get .version StateService/UpdateDict "$(set_to 1)")"
    get '.entries[0].value.json' StateService/UpdateDict "$(set_to 2 "{\"expected_version\": \"$version\"}")"
    reason StateService/UpdateDict "$(set_to 2 "{\"expected_version\": \"$version\"}")"
    early="$(acquire guard "$session" | jq -r .fencingToken)"
    release guard "$session"
    late="$(acquire guard "$session" | jq -r .fencingToken)"
    get '.entries[0].value.json' StateService/UpdateDict "$(set_to 3 "{\"lock\": \"$unique/guard\", \"fencing_token\": \"$late\"}")"
    reason StateService/UpdateDict "$(set_to 3 "{\"lock\": \"$unique/guard\", \"fencing_token\": \"$early\"}")"
}

pipe() {
    local name="$unique/pipe"
    send() { call PipeService/Send "{\"pipe\": \"$name\", \"end\": \"PIPE_END_$1\", \"messages\": [{\"json\": \"$2\"}], \"timeout\": \"10s\"}"; }
    receive() { call PipeService/Receive "{\"pipe\": \"$name\", \"end\": \"PIPE_END_$1\", \"timeout\": \"10s\"}"; }
    call PipeService/CreatePipe "{\"spec\": {\"name\": \"$name\", \"duplex\": true}}" > /dev/null
    send A ping > /dev/null && receive B | jq -r '.messages[0].json'
    send B pong > /dev/null && receive A | jq -r '.messages[0].json'
    call PipeService/ClosePipeEnd "{\"pipe\": \"$name\", \"end\": \"PIPE_END_B\"}" > /dev/null
    receive A | jq -r "$status"
    send A '?' | jq -r "$status"
}

deadlock() {
    local a b answer until=$((SECONDS + 30))
    session A && a="$session"
    session B && b="$session"
    acquire x "$a" > /dev/null
    acquire y "$b" > /dev/null
    exec {answer}< <(acquire y "$a")
    until get '.edges // [] | .[].object' AdminService/ExplainWaits '{}' | grep -q "^locks/$unique/y$" || ((SECONDS > until)); do :; done
    reason SyncService/AcquireLock "{\"lock\": \"$unique/x\", \"session_id\": \"$b\", \"timeout\": \"20s\"}"
    release y "$b"
    jq -r "$status" <&"$answer"
}

lines="$(mktemp)"
trap 'close_sessions; rm -f "$lines"' EXIT
for scenario in tasks stream queue lock dict pipe deadlock; do
    $scenario > "$lines"
    echo "$scenario: $(paste -sd, "$lines" | sed 's/,/, /g')"
    close_sessions
done
