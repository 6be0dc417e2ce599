"""One call at a time from Python over the local transport, with the client that docs/local-transport.md shows.

    PYTHONPATH=STUBS:tests/Interop/python python3 python_local.py ROW SECONDS DATA_DIR

prints one JSON object, as python_peers.py does. STUBS is the folder with what protoc makes from protos/.
"""
import pathlib
import sys

from local_channel import LocalChannel
from orchestrator.v1 import state_pb2, state_pb2_grpc, tasks_pb2, tasks_pb2_grpc

from python_peers import PAYLOAD, one_at_a_time

ROW, SECONDS, HOME = sys.argv[1], float(sys.argv[2]), pathlib.Path(sys.argv[3])
NAME = "peers/python"
channel = LocalChannel(HOME)
state = state_pb2_grpc.StateServiceStub(channel)
tasks = tasks_pb2_grpc.TaskServiceStub(channel)


def dict_set():
    change = state_pb2.UpdateDictRequest(dict=NAME)
    change.edits.add(key="k").set.data = PAYLOAD
    return lambda: state.UpdateDict(change)


def dict_get():
    dict_set()()
    read = state_pb2.ReadDictRequest(dict=NAME, keys=["k"])
    return lambda: state.ReadDict(read)


def echo():
    run = tasks_pb2.RunTaskRequest(task=tasks_pb2.TaskSpec(handler="echo"))
    run.task.input.data = PAYLOAD
    return lambda: tasks.RunTask(run)


one_at_a_time({"dict-set": dict_set, "dict-get": dict_get, "echo": echo}[ROW](), SECONDS)
