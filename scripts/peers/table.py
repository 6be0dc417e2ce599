"""Runs each row of the comparison in turn with its peer, and prints the table that docs/performance.md shows.

    python3 table.py ORCHESTRATOR DATA_DIR NODE_MODULES PYTHON_STUBS ROUNDS SECONDS [GROUP…]

A row is measured peer, ours, peer, ours, …; each figure is the median over the rounds, and the ratio is the median of the ratios of each round.
Beside ours, bare gRPC is measured in the same shape: where we are not ahead, the row says how much of it the transport alone takes.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys

# Debian's, to which its protobuf package belongs.
SYSTEM_PYTHON = "/usr/bin/python3"
MAPPED_PER_SECOND = 400_000
HERE = pathlib.Path(__file__).parent
RATE, P50, MEGABYTES = "per_second", "p50_us", "mb_per_second"

# group · what · the peer's name · its row · how ours is measured: (verb, figure), arguments of `bench tasks`, or a name below · in which quantity
POOL_ONE, POOL_MAP, PYTHON = "pool-one", "pool-map", "python-"
ONE, LARGE = ["--in-flight", "1"], ["--size", "1000000", "--in-flight", "8"]
ROWS = [
    ("queue", "queue, one producer, one consumer, items/s", "multiprocessing.Queue", "queue", ("queue", "stream"), RATE),
    ("queue", "queue, put + get, one at a time", "Manager().Queue", "manager-queue", ("queue", "unary"), P50),
    ("pipe", "pipe, one way, 64 B, messages/s", "multiprocessing.Pipe", "pipe", ("pipe", "stream"), RATE),
    ("pipe", "pipe, one way, 1 MB messages, MB/s", "multiprocessing.Pipe", "pipe-large", ("pipe", "large"), MEGABYTES),
    ("pipe", "pipe, there and back", "multiprocessing.Pipe", "pipe-round-trip", ("pipe", "round-trip"), P50),
    ("pipe", "direct pipe, one way, 64 B, messages/s", "multiprocessing.Pipe", "pipe", ("pipe", "direct-stream"), RATE),
    ("pipe", "direct pipe, one way, 1 MB messages, MB/s", "multiprocessing.Pipe", "pipe-large", ("pipe", "direct-large"), MEGABYTES),
    ("pipe", "direct pipe, there and back", "multiprocessing.Pipe", "pipe-round-trip", ("pipe", "direct-round-trip"), P50),
    ("lock", "lock + unlock, release posted, one at a time", "Manager().Lock", "manager-lock", ("lock", "one"), P50),
    ("lock", "the same, release awaited", "Manager().Lock", "manager-lock", ("lock", "one-awaited"), P50),
    ("lock", "lock, hand-overs between two processes/s", "Manager().Lock", "manager-hand-over", ("lock", "hand-over"), RATE),
    ("lock", "the same", "multiprocessing.Lock, a kernel semaphore: one machine, inherited by children only, stays locked when its holder dies",
     "native-hand-over", ("lock", "hand-over"), RATE),
    ("state", "dict set, one at a time", "Manager().dict", "manager-dict-set", ("state", "dict-one"), P50),
    ("state", "dict get, one at a time", "Manager().dict", "manager-dict-get", ("state", "get-one"), P50),
    ("state", "dict set from Python, one at a time", "Manager().dict", "manager-dict-set", PYTHON + "dict-set", P50),
    ("state", "dict get from Python, one at a time", "Manager().dict", "manager-dict-get", PYTHON + "dict-get", P50),
    ("increment", "increments under a lock, 2 round trips, 4 processes, /s", "Manager().Lock and dict", "manager-increment",
     ("state", "locked-increment"), RATE),
    ("increment", "the same, each of 4 round trips awaited, /s", "Manager().Lock and dict", "manager-increment",
     ("state", "locked-increment-awaited"), RATE),
    ("increment", "the same as an atomic add, 4 processes, /s", "Manager().Lock and dict", "manager-increment", ("state", "increment"), RATE),
    *(
        ("pools", what, name, row, how, quantity)
        for row, name, quantity in [
            ("executor-one", "ProcessPoolExecutor", P50),
            ("pool-one", "multiprocessing.Pool.apply", P50),
            ("node:workerpool-one", "workerpool (processes)", P50),
            ("node:piscina-one", "piscina (threads)", P50),
            ("executor-all", "ProcessPoolExecutor.submit", RATE),
            ("executor-map", "ProcessPoolExecutor.map, chunks of 512", RATE),
            ("pool-all", "Pool.imap_unordered", RATE),
            ("pool-chunks", "Pool.imap_unordered, chunks of 512", RATE),
            ("node:workerpool-all", "workerpool (processes)", RATE),
            ("node:piscina-all", "piscina (threads)", RATE),
        ]
        for what, how in (
            [("echo task, embedded pool, one at a time", POOL_ONE), ("echo task, separate coordinator, one at a time", ONE)]
            if quantity == P50 else
            [("echo tasks, embedded pool, all in flight, tasks/s", POOL_MAP), ("echo tasks, separate coordinator, all in flight, tasks/s", [])]
        )
    ),
    ("pools", "echo tasks of 1 MB, separate coordinator, 8 in flight, MB/s", "ProcessPoolExecutor.submit", "executor-large", LARGE,
     MEGABYTES),
    ("pools", "echo task from Python, one at a time", "ProcessPoolExecutor", "executor-one", PYTHON + "echo", P50),
]


# Two hops of a task: to the coordinator and to a worker, and back.
HOP = ("state", "dict-one")
# Where the peer sends something else over its pipe than we do over ours.
UNLIKE = {
    "executor-map": "512 calls travel and end as one there, each by itself here",
    "pool-chunks": "512 calls travel and end as one there, each by itself here",
    "native-hand-over": "no process is asked there; here a coordinator is, which frees it when its holder dies",
}


def run(command, **variables):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **variables}, timeout=120)
    if done.returncode != 0:
        sys.exit(f"compare-peers: {' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def peer(row, seconds, modules):
    if row.startswith("node:"):
        return run(["node", HERE / "node_peers.js", row.removeprefix("node:"), str(seconds), modules], PEERS_MODULES=modules)
    return run([sys.executable, HERE / "python_peers.py", row, str(seconds)])


def ours(how, seconds, orchestrator, data, stubs):
    """Our figure, and what bare gRPC does, with its name; None where it does nothing alike."""
    if isinstance(how, str) and how.startswith(PYTHON):
        path = os.pathsep.join([stubs, str(HERE), str(HERE.parent.parent / "tests" / "Interop" / "python")])
        return run([SYSTEM_PYTHON, HERE / "python_local.py", how.removeprefix(PYTHON), str(seconds), data], PYTHONPATH=path), None
    if how in (POOL_ONE, POOL_MAP):
        count = str(int(MAPPED_PER_SECOND * seconds))
        figures = run([orchestrator, "bench", "pool", "--data-dir", data, "--rounds", "1", "--count", count, "-o", "json"])
        return quantities(figures["one" if how == POOL_ONE else "map"]), None
    common = ["--data-dir", data, "--rounds", "1", "--duration", f"{seconds}s", "-o", "json"]
    if isinstance(how, list):
        figure = run([orchestrator, "bench", "tasks", *how, *common])["figure"]
        if how != ONE:
            return quantities(figure), None
        bare = run([orchestrator, "bench", HOP[0], "--only", HOP[1], "--baseline", *common])["figures"][1]
        return quantities(figure), {"name": "one hop of two, " + bare["name"], **quantities(bare)}
    figure, bare = run([orchestrator, "bench", how[0], "--only", how[1], "--baseline", *common])["figures"]
    return quantities(figure), {"name": bare["name"], **quantities(bare)}


def quantities(figure):
    p50 = figure["latency_seconds"]["p50"]
    return {RATE: figure["per_second"], P50: p50 and p50 * 1e6, MEGABYTES: figure["per_second"]}


def show(value, quantity):
    return f"{value:,.0f} µs" if quantity == P50 else f"{value:,.0f}"


def measure(row, rounds, seconds, orchestrator, data, modules, stubs):
    _, what, name, theirs, how, quantity = row
    pairs, bares = [], []
    for _ in range(rounds):
        its = peer(theirs, seconds, modules)[quantity]
        mine, bare = ours(how, seconds, orchestrator, data, stubs)
        pairs.append((its, mine[quantity]))
        bares.append(bare)
    # How many times as good as the peer we are: more per second, or less time.
    ratio = statistics.median(p / o if quantity == P50 else o / p for p, o in pairs)
    verdict = "ahead" if ratio > 1.05 else "even" if ratio >= 0.95 else "**not ahead**: " + limit(theirs, bares, quantity)
    theirs_shown, ours_shown = (show(statistics.median(values), quantity) for values in zip(*pairs))
    return f"| {what} | {ours_shown} | {name} | {theirs_shown} | {ratio:.2g} × | {verdict} |"


def limit(theirs, bares, quantity):
    if theirs in UNLIKE:
        return UNLIKE[theirs]
    if bares[0] is None:
        return "each call passes the coordinator, and is accounted for there, by itself"
    return f"bare gRPC alone ({bares[0]['name']}) {show(statistics.median(bare[quantity] for bare in bares), quantity)}"


def main():
    orchestrator, data, modules, stubs, rounds, seconds, *groups = sys.argv[1:]
    known = list(dict.fromkeys(row[0] for row in ROWS))
    if wrong := [group for group in groups if group not in known]:
        sys.exit(f"compare-peers: there is no group {wrong[0]!r}; there are {', '.join(known)}")
    print(f"Load average of the last minute before: {os.getloadavg()[0]:.2f}, {os.cpu_count()} processors.\n", flush=True)
    print("| what | ours | peer | its figure | ours is better by | |\n|---|---|---|---|---|---|", flush=True)
    for row in ROWS:
        if not groups or row[0] in groups:
            print(measure(row, int(rounds), float(seconds), orchestrator, data, modules, stubs), flush=True)


if __name__ == "__main__":
    main()
