"""One task over TLS: the client's certificate is its credential.

ORCHESTRATOR_CA, ORCHESTRATOR_CERT and ORCHESTRATOR_KEY name PEM files.
usage: run_task_tls.py HANDLER JSON
"""

import json
import os
import pathlib
import sys

import grpc
from google.protobuf import json_format, struct_pb2

from orchestrator.v1 import tasks_pb2, tasks_pb2_grpc


def connect():
    home = pathlib.Path(os.environ.get("ORCHESTRATOR_DATA_DIR", "~/.local/state/orchestrator")).expanduser()
    address = json.loads((home / "endpoint.json").read_text())["grpc"].removeprefix("https://")
    ca, cert, key = (pathlib.Path(os.environ[f"ORCHESTRATOR_{name}"]).read_bytes() for name in ("CA", "CERT", "KEY"))
    credentials = grpc.ssl_channel_credentials(root_certificates=ca, private_key=key, certificate_chain=cert)
    # The coordinator is on this machine: no proxy lies between.
    return grpc.secure_channel(address, credentials, options=[("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", -1)])


def main():
    handler, text = sys.argv[1:3]
    task = tasks_pb2.TaskSpec(handler=handler)
    task.input.json.CopyFrom(json_format.Parse(text, struct_pb2.Value()))
    with connect() as channel:
        try:
            result = tasks_pb2_grpc.TaskServiceStub(channel).RunTask(tasks_pb2.RunTaskRequest(task=task), timeout=30).result
        except grpc.RpcError as error:
            sys.exit(f"{error.code().name}: {error.details()}")
    if result.state != tasks_pb2.TASK_STATE_SUCCEEDED:
        sys.exit(f"{tasks_pb2.TaskState.Name(result.state)}: {result.error.message}")
    print(json.dumps(int(json_format.MessageToDict(result.output.json))))


if __name__ == "__main__":
    main()
