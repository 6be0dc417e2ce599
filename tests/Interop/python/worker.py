"""An Orchestrator worker in Python. Its functions are tasks for clients in any language:

    export PYTHONPATH=$PWD/artifacts/stubs
    orchestrator serve --inherit-env PYTHONPATH --worker-command 'python=2:/usr/bin/python3 tests/Interop/python/worker.py'

Needs what run_task.py needs, and the stubs of all protos:

    mkdir -p artifacts/stubs && protoc -I protos --python_out=artifacts/stubs --grpc_out=artifacts/stubs \\
        --plugin=protoc-gen-grpc="$(command -v grpc_python_plugin)" $(find protos -name '*.proto')
"""
import os
import sys
import threading
import time

from orchestrator.v1 import state_pb2, state_pb2_grpc, sync_pb2, sync_pb2_grpc
from orchestrator_worker import InvalidInput, Worker

worker = Worker(cpu_threads=1)


def calculate(n):
    total = 0
    for i in range(n):
        total += i * i
    return total


def number(input, name):
    value = input.get(name) if isinstance(input, dict) else None
    if not isinstance(value, (int, float)) or value < 0:
        raise InvalidInput(f"field '{name}' must be a number of 0 or more, got {value!r}")
    return int(value)


@worker.handler("cpu", "The sum of i*i for every i below n, in a loop.", {"n": 1_000_000})
def py_calculate(input, context):
    used = time.process_time()
    return {"sum": calculate(number(input, "n")), "pid": os.getpid(), "cpu_seconds": time.process_time() - used}


@worker.handler("cpu", "The same in several threads of this one process, with the processor time that it took.", {"n": 1_000_000, "threads": 2})
def py_calculate_in_threads(input, context):
    n, count = number(input, "n"), number(input, "threads")
    context.progress(0, count, f"{count} threads")
    threads = [threading.Thread(target=calculate, args=[n]) for _ in range(count)]
    used, started = time.process_time(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - used, "pid": os.getpid(), "cores": len(os.sched_getaffinity(0))}


@worker.handler("cpu", "Waits in several threads of this one process, whose interpreter's lock is free meanwhile.", {"ms": 200, "threads": 10})
def py_wait_in_threads(input, context):
    seconds, count = number(input, "ms") / 1_000, number(input, "threads")
    threads = [threading.Thread(target=time.sleep, args=[seconds]) for _ in range(count)]
    used, started = time.process_time(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - used, "pid": os.getpid()}


@worker.handler("io", "Waits; obeys its cancellation.", {"ms": 1_000})
def py_sleep(input, context):
    context.progress(0, 1, "asleep")
    context.sleep(number(input, "ms") / 1_000)
    return number(input, "ms")


@worker.handler("io", "Prints a line, which reaches the task's log, and answers with what its standard input holds: nothing.", {"text": "hello"})
def py_print(input, context):
    print(input["text"])
    return sys.stdin.read() + os.popen("cat").read()


@worker.handler("io", "Answers with the trace context that an OpenTelemetry of this language would continue.", {})
def py_trace(input, context):
    return context.traceparent


@worker.handler("io", "Counts a word in a dict that all processes share, from inside a task.", {"dict": "words", "word": "to"})
def py_count_word(input, context):
    update = state_pb2.UpdateDictRequest(dict=input["dict"], edits=[state_pb2.DictEdit(key=input["word"], add=1)], session_id=context.session)
    answer = state_pb2_grpc.StateServiceStub(worker.coordinator).UpdateDict(update, metadata=worker.coordinator_metadata, timeout=10)
    return answer.entries[0].value.json.number_value


@worker.handler("io", "Acquires a lock for its attempt, which may wait.", {"lock": "build"})
def py_locked(input, context):
    acquire = sync_pb2.AcquireLockRequest(lock=input["lock"], session_id=context.session)
    return sync_pb2_grpc.SyncServiceStub(worker.coordinator).AcquireLock(acquire, metadata=worker.coordinator_metadata, timeout=60).fencing_token


if __name__ == "__main__":
    worker.run()
