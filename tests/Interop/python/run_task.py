"""Runs one task and prints its output.

    python3 run_task.py sum_of_squares '{"n": 1000000}'

Needs grpcio and protobuf, and the stubs that protoc makes from protos/ (their folder in PYTHONPATH). On Debian: apt-get install
python3-grpcio python3-protobuf protobuf-compiler protobuf-compiler-grpc libprotobuf-dev. Then:

    protoc -I protos --python_out=stubs --grpc_out=stubs \
        --plugin=protoc-gen-grpc="$(command -v grpc_python_plugin)" protos/orchestrator/v1/*.proto
"""
import json
import os
import pathlib
import sys

import grpc
from google.protobuf import json_format
from orchestrator.v1 import tasks_pb2, tasks_pb2_grpc


def connect():
    """The channel to the running coordinator and the metadata that every call needs."""
    home = pathlib.Path(os.environ.get("ORCHESTRATOR_DATA_DIR", "~/.local/state/orchestrator")).expanduser()
    address = json.loads((home / "endpoint.json").read_text())["grpc"].removeprefix("http://")
    token = os.environ.get("ORCHESTRATOR_TOKEN") or (home / "token").read_text().strip()
    # The coordinator is on this machine: no proxy lies between.
    channel = grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", -1)])
    return channel, [("authorization", f"Bearer {token}")]


def main():
    handler, text = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "{}"
    channel, metadata = connect()
    with channel:
        task = tasks_pb2.TaskSpec(handler=handler)
        json_format.Parse(text, task.input.json)
        try:
            # The deadline bounds the task too: when it passes, the task is cancelled.
            result = tasks_pb2_grpc.TaskServiceStub(channel).RunTask(
                tasks_pb2.RunTaskRequest(task=task), metadata=metadata, timeout=60).result
        except grpc.RpcError as error:
            sys.exit(f"{error.code().name}: {error.details()}")
    # A failed task is a successful call: its error is in the result.
    if result.state != tasks_pb2.TASK_STATE_SUCCEEDED:
        sys.exit(f"{tasks_pb2.TaskState.Name(result.state)}: {result.error.message}")
    # An integer beyond 2^53 comes as a decimal string, since JSON's numbers are doubles.
    print(json.dumps(json_format.MessageToDict(result.output.json)))


if __name__ == "__main__":
    main()
