"""Compares two coordinators by slices of time. See scripts/recycle-cost.

On a shared machine the same load goes 15 % faster or slower from one ten seconds to the next, which hides a cost of a few percent. So only one of the two runs at any
time, for a third of a second: all of its processes are stopped while the other's run. Which one comes first is random, and so is the length of a slice, since what
disturbs a machine may have a period.

One process may be faster than another of the same program for its whole life, by where its memory happens to lie. The workers of the coordinator that never replaces
any are therefore replaced between rounds, outside of what is measured.

A coordinator's share for replacing (RecycleShare) goes by the clock, which goes on while it is stopped: where that share binds, it replaces twice as many as it would
otherwise, and the figure is an upper bound.
"""

import contextlib
import json
import math
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

SLICE = 0.3
SLICES_PER_ROUND = 33


class Side:
    """A coordinator with two workers and a load that never ends."""

    def __init__(self, command, directory, hashes, in_flight, *options):
        self.command = command
        self.directory = directory
        directory.mkdir()
        self.server = self.start("serve", "--grpc-port", "0", "--http-port", "0", "--workers", "2", *options)
        deadline = time.monotonic() + 30
        while not (directory / "endpoint.json").exists():
            if self.server.poll() is not None or time.monotonic() > deadline:
                sys.exit("recycle-cost: the coordinator did not start; see 'orchestrator doctor'")
            time.sleep(0.05)
        load = json.dumps({"text": "a", "rounds": hashes})
        self.load = self.start(
            "bench", "tasks", "--handler", "sha256", "--input", load, "--in-flight", str(in_flight), "--rounds", "1", "--duration", "24h")
        self.seconds = 0.0

    def start(self, *words):
        return subprocess.Popen(
            [self.command, *words, "--data-dir", self.directory], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            # Ctrl-C is for the script, which ends them in order.
            start_new_session=True)

    def run(self, *words):
        return subprocess.run([self.command, *words, "--data-dir", self.directory], stdout=subprocess.PIPE, text=True, check=False).stdout

    def signal(self, number):
        processes = [self.load.pid, self.server.pid]
        for thread in pathlib.Path(f"/proc/{self.server.pid}/task").iterdir():
            # A thread may end between its being listed and its being read.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                processes += map(int, (thread / "children").read_text().split())
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    @contextlib.contextmanager
    def running(self):
        """Lets it run, and counts the time."""
        start = time.monotonic()
        self.signal(signal.SIGCONT)
        try:
            yield
        finally:
            self.signal(signal.SIGSTOP)
            self.seconds += time.monotonic() - start

    def succeeded(self):
        """Read while it runs."""
        return int(json.loads(self.run("status", "-o", "json"))["tasks"].get("succeeded", 0))

    def begin_round(self):
        with self.running():
            self.tasks = self.succeeded()
        self.seconds = 0.0

    def rate(self):
        """Tasks per second of its own time since the round began."""
        with self.running():
            tasks = self.succeeded()
        return (tasks - self.tasks) / self.seconds

    def stop(self):
        self.signal(signal.SIGCONT)
        self.load.kill()
        self.load.wait()
        self.server.terminate()
        self.server.wait()


def measure(never, replacing):
    with never.running():
        never.run("recycle")
        time.sleep(1.5)
    sides = [never, replacing]
    for side in sides:
        side.begin_round()
    for _ in range(SLICES_PER_ROUND):
        for side in random.sample(sides, 2):
            with side.running():
                time.sleep(SLICE * random.uniform(0.6, 1.4))
    return never.rate(), replacing.rate()


def replaced(side):
    """After how many tasks each worker was replaced."""
    side.signal(signal.SIGCONT)
    seen = subprocess.run(
        ["timeout", "3", side.command, "events", "--kind", "worker.renewing", "--data-dir", side.directory], stdout=subprocess.PIPE, text=True, check=False).stdout
    return [int(tasks) for tasks in re.findall(r"has ended (\d+) tasks", seen)]


def main(command, rounds, after, hashes, in_flight):
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        never = Side(command, pathlib.Path(folder) / "never", hashes, in_flight)
        stack.callback(never.stop)
        replacing = Side(command, pathlib.Path(folder) / "replacing", hashes, in_flight, "--recycle-after", after)
        stack.callback(replacing.stop)
        # Both reach their speed.
        time.sleep(5)
        for side in (never, replacing):
            side.signal(signal.SIGSTOP)
        ratios = []
        for number in range(1, int(rounds) + 1):
            without, with_it = measure(never, replacing)
            ratios.append(with_it / without)
            mean = sum(ratios) / len(ratios)
            error = math.sqrt(sum((ratio - mean) ** 2 for ratio in ratios) / len(ratios) / max(1, len(ratios) - 1))
            print(f"{number:3}: {without:.0f} tasks/s without, {with_it:.0f} with; so far × {mean:.3f} ± {error:.3f} (standard error)", flush=True)
        tasks = replaced(replacing)
        print(f"{len(tasks)} workers replaced, after {sum(tasks) / max(1, len(tasks)):.0f} tasks each (asked for: {after})")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with contextlib.suppress(KeyboardInterrupt):
        main(*sys.argv[1:])
