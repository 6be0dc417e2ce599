"""The interpreter's lock, measured: the same loop N times in threads of one Python worker, then in N tasks, which N Python workers share.

    python3 gil.py 2

Needs a coordinator with N workers of worker.py, not pinned to cores (--no-pinning): a pinned process has one core whatever its threads do.
"""
import sys
import time

from google.protobuf import json_format
from orchestrator.v1 import tasks_pb2, tasks_pb2_grpc
from run_task import connect

LOOPS = 4_000_000


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    channel, metadata = connect()
    with channel:
        tasks = tasks_pb2_grpc.TaskServiceStub(channel)

        def run(*specs):
            """Runs them all at once; their outputs, and how long it took until the last."""
            started = time.perf_counter()
            ids = tasks.SubmitTasks(tasks_pb2.SubmitTasksRequest(tasks=[json_format.ParseDict(spec, tasks_pb2.TaskSpec()) for spec in specs]),
                                    metadata=metadata, timeout=60).task_ids
            done = tasks.WaitTasks(tasks_pb2.WaitTasksRequest(task_ids=ids, mode=tasks_pb2.WAIT_MODE_ALL), metadata=metadata, timeout=60).done
            seconds = time.perf_counter() - started
            for result in done:
                if result.state != tasks_pb2.TASK_STATE_SUCCEEDED:
                    sys.exit(f"{tasks_pb2.TaskState.Name(result.state)}: {result.error.message}")
            return [json_format.MessageToDict(result.output.json) for result in done], seconds

        loop = {"handler": "py_calculate", "input": {"json": {"n": LOOPS}}}
        (inside,), threads = run({"handler": "py_calculate_in_threads", "input": {"json": {"n": LOOPS, "threads": count}}})
        outputs, processes = run(*[loop] * count)
    used = inside["cpu_seconds"] / inside["seconds"]
    print(f"{count} threads of 1 worker: {threads:.2f} s, {used:.2f} cores busy of {inside['cores']:.0f}")
    print(f"{count} tasks on {len({output['pid'] for output in outputs})} workers: {processes:.2f} s")
    print(f"ratio: {threads / processes:.2f}")


if __name__ == "__main__":
    main()
