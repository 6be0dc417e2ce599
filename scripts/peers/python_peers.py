"""Python's own ways of sharing work and data between processes, measured like ours.

    python3 python_peers.py ROW SECONDS

prints one JSON object: {"per_second": ..., "p50_us": ..., "mb_per_second": ...}; what a row does not measure is null. Only the standard library is used.
"""

import collections
import json
import multiprocessing as mp
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor

PAYLOAD = bytes(64)
LARGE = bytes(1_000_000)
END = b""
PROCESSES = 4
WORKERS = 2
IN_FLIGHT = 8
WARM_UP = 0.3


def report(count, seconds, latencies=None, size=None):
    print(json.dumps({
        "per_second": count / seconds,
        "p50_us": statistics.median(latencies) * 1e6 if latencies else None,
        "mb_per_second": count * size / seconds / 1e6 if size else None,
    }))


def one_at_a_time(once, seconds):
    """Calls `once` again and again; the latency is that of a call."""
    warm = time.perf_counter() + WARM_UP
    while time.perf_counter() < warm:
        once()
    latencies = []
    begin = time.perf_counter()
    end = begin + seconds
    while (now := time.perf_counter()) < end:
        once()
        latencies.append(time.perf_counter() - now)
    report(len(latencies), time.perf_counter() - begin, latencies)


# ---- queues and pipes ----------------------------------------------------------------------------------------------

def fill(put, payload, seconds):
    """Sends for so long, and then the end mark."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for _ in range(64 if len(payload) < 1000 else 1):
            put(payload)
    put(END)


def fill_queue(queue, seconds):
    fill(queue.put, PAYLOAD, seconds)


def fill_pipe(end, payload, seconds):
    fill(end.send_bytes, payload, seconds)


def drain(get, process, size=None):
    process.start()
    get()
    count, begin = 0, time.perf_counter()
    while get() != END:
        count += 1
    seconds = time.perf_counter() - begin
    process.join()
    report(count, seconds, size=size)


def queue(seconds):
    shared = mp.Queue(4096)
    drain(shared.get, mp.Process(target=fill_queue, args=(shared, seconds)))


def pipe(seconds, payload=PAYLOAD, size=None):
    here, there = mp.Pipe(duplex=False)
    drain(here.recv_bytes, mp.Process(target=fill_pipe, args=(there, payload, seconds)), size)


def pipe_large(seconds):
    pipe(seconds, LARGE, len(LARGE))


def echo(end):
    while (message := end.recv_bytes()) != END:
        end.send_bytes(message)


def pipe_round_trip(seconds):
    here, there = mp.Pipe()
    process = mp.Process(target=echo, args=(there,))
    process.start()

    def once():
        here.send_bytes(PAYLOAD)
        here.recv_bytes()

    one_at_a_time(once, seconds)
    here.send_bytes(END)
    process.join()


# ---- the manager ---------------------------------------------------------------------------------------------------

def manager_queue(seconds):
    with mp.Manager() as manager:
        shared = manager.Queue()

        def once():
            shared.put(PAYLOAD)
            shared.get()

        one_at_a_time(once, seconds)


def manager_dict_set(seconds):
    with mp.Manager() as manager:
        shared = manager.dict()

        def once():
            shared["key"] = PAYLOAD

        one_at_a_time(once, seconds)


def manager_dict_get(seconds):
    with mp.Manager() as manager:
        shared = manager.dict(key=PAYLOAD)
        one_at_a_time(lambda: shared["key"], seconds)


def take_and_release(lock):
    lock.acquire()
    lock.release()


def manager_lock(seconds):
    with mp.Manager() as manager:
        lock = manager.Lock()
        one_at_a_time(lambda: take_and_release(lock), seconds)


def contend(lock, seconds, last, changes):
    """Takes the lock repeatedly, and counts how often another process held it in between."""
    me = mp.current_process().pid
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        with lock:
            if last.value != me:
                changes.value += 1
                last.value = me


def hand_over(lock, seconds):
    # Both are in shared memory and guarded by the lock itself.
    last, changes = mp.Value("i", 0, lock=False), mp.Value("q", 0, lock=False)
    processes = [mp.Process(target=contend, args=(lock, seconds, last, changes)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    report(changes.value, seconds)


def manager_hand_over(seconds):
    with mp.Manager() as manager:
        hand_over(manager.Lock(), seconds)


def native_hand_over(seconds):
    hand_over(mp.Lock(), seconds)


def increment_shared(lock, shared, seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        with lock:
            shared["counter"] += 1


def manager_increment(seconds):
    with mp.Manager() as manager:
        lock, shared = manager.Lock(), manager.dict(counter=0)
        processes = [mp.Process(target=increment_shared, args=(lock, shared, seconds)) for _ in range(PROCESSES)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        report(shared["counter"], seconds)


# ---- pools ---------------------------------------------------------------------------------------------------------

def same(value):
    return value


def executor_one(seconds):
    with ProcessPoolExecutor(WORKERS) as pool:
        one_at_a_time(lambda: pool.submit(same, PAYLOAD).result(), seconds)


def in_rounds(run, size, seconds, payload=None):
    """Runs `size` tasks at a time until the time is over."""
    run(size)
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        run(size)
        count += size
    report(count, time.perf_counter() - begin, size=payload)


def executor_all(seconds):
    with ProcessPoolExecutor(WORKERS) as pool:
        def run(size):
            for future in [pool.submit(same, PAYLOAD) for _ in range(size)]:
                future.result()

        in_rounds(run, 1000, seconds)


def executor_large(seconds):
    with ProcessPoolExecutor(WORKERS) as pool:
        def run(size):
            waiting = collections.deque(pool.submit(same, LARGE) for _ in range(IN_FLIGHT))
            for _ in range(size - IN_FLIGHT):
                waiting.popleft().result()
                waiting.append(pool.submit(same, LARGE))
            for future in waiting:
                future.result()

        in_rounds(run, 100, seconds, len(LARGE))


def payloads(size):
    # One object each: pickle would send a shared one only once per chunk.
    return (bytes(bytearray(64)) for _ in range(size))


def executor_map(seconds):
    with ProcessPoolExecutor(WORKERS) as pool:
        in_rounds(lambda size: [None for _ in pool.map(same, payloads(size), chunksize=512)], 50_000, seconds)


def pool_one(seconds):
    with mp.Pool(WORKERS) as pool:
        one_at_a_time(lambda: pool.apply(same, (PAYLOAD,)), seconds)


def pool_all(seconds):
    with mp.Pool(WORKERS) as pool:
        in_rounds(lambda size: [None for _ in pool.imap_unordered(same, payloads(size))], 5_000, seconds)


def pool_chunks(seconds):
    with mp.Pool(WORKERS) as pool:
        in_rounds(lambda size: [None for _ in pool.imap_unordered(same, payloads(size), chunksize=512)], 50_000, seconds)


ROWS = {function.__name__.replace("_", "-"): function for function in (
    queue, pipe, pipe_large, pipe_round_trip, manager_queue, manager_dict_set, manager_dict_get, manager_lock, manager_hand_over, native_hand_over,
    manager_increment, executor_one, executor_all, executor_large, executor_map, pool_one, pool_all, pool_chunks)}

if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ROWS:
        sys.exit(f"usage: python_peers.py ROW SECONDS; the rows are {', '.join(ROWS)}")
    ROWS[sys.argv[1]](float(sys.argv[2]))
