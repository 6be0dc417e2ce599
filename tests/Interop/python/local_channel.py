"""The local transport in Python: a channel for the stubs that protoc makes, quicker than gRPC's for one call at a time.

    python3 local_channel.py sum_of_squares '{"n": 1000000}'

It carries unary calls and server streams, to a coordinator on this machine. For threads; stubs as for run_task.py.
"""
import json
import os
import pathlib
import socket
import struct
import sys

from google.protobuf import json_format
from orchestrator.local.v1 import local_pb2
from orchestrator.v1 import tasks_pb2, tasks_pb2_grpc

MESSAGE, OPEN, HALF_CLOSE, STATUS = 0, 16, 17, 18
HEAD = struct.Struct(">BI")

class LocalChannel:
    def __init__(self, home=os.environ.get("ORCHESTRATOR_DATA_DIR", "~/.local/state/orchestrator")):
        home = pathlib.Path(home).expanduser()
        self.path = json.loads((home / "endpoint.json").read_text())["local_transport"]["socket"]
        self.token = os.environ.get("ORCHESTRATOR_TOKEN") or (home / "token").read_text().strip()
        self.idle = []

    def unary_unary(self, method, request_serializer, response_deserializer, **_):
        return lambda request, timeout=None: response_deserializer(*self._call(method, request_serializer(request), timeout))

    def unary_stream(self, method, request_serializer, response_deserializer, **_):
        return lambda request, timeout=None: map(response_deserializer, self._call(method, request_serializer(request), timeout))

    stream_stream = stream_unary = lambda self, *_, **__: None

    def _call(self, method, request, timeout):
        head = local_pb2.LocalCall(method=method, authorization=f"Bearer {self.token}")
        if timeout is not None:
            head.timeout.FromNanoseconds(int(timeout * 1e9))
        # A connection carries one call at a time. One that is dropped before the call's end cancels the call.
        connection, reader = self.idle.pop() if self.idle else self._connect()
        frames = (OPEN, head.SerializeToString()), (MESSAGE, request), (HALF_CLOSE, b"")
        connection.sendall(b"".join(HEAD.pack(kind, len(content)) + content for kind, content in frames))
        while (frame := HEAD.unpack(reader.read(HEAD.size)))[0] != STATUS:
            yield reader.read(frame[1])
        status = local_pb2.LocalStatus.FromString(reader.read(frame[1]))
        self.idle.append((connection, reader))
        if status.code:
            raise RuntimeError(f"{status.code}: {status.message}")

    def _connect(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.path)
        return connection, connection.makefile("rb")


if __name__ == "__main__":
    request = json_format.ParseDict({"task": {"handler": sys.argv[1], "input": {"json": json.loads(sys.argv[2])}}}, tasks_pb2.RunTaskRequest())
    result = tasks_pb2_grpc.TaskServiceStub(LocalChannel()).RunTask(request, timeout=60).result
    print(json.dumps(json_format.MessageToDict(result.output.json)))
