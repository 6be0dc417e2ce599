"""A direct pipe in Python: the socket of one end, which the coordinator hands over (SCM_RIGHTS).

    python3 direct_pipe.py PIPE A|B

sends each line of standard input as a message, then prints the messages that arrive, until the other end is closed. Stubs as for run_task.py.
"""
import socket
import sys

from local_channel import HEAD, MESSAGE, OPEN, LocalChannel
from orchestrator.local.v1 import local_pb2
from orchestrator.v1 import common_pb2, pipes_pb2

DESCRIPTOR = 20


def attach(channel, pipe, end):
    """The end's socket, and the connection that owns the end: closing it, or this process's death, closes the end."""
    owner = socket.socket(socket.AF_UNIX)
    owner.connect(channel.path)
    head = local_pb2.LocalCall(method="/orchestrator.v1.PipeService/AttachPipe", authorization=f"Bearer {channel.token}")
    request = pipes_pb2.AttachPipeRequest(pipe=pipe, end=end, direct=True)
    for kind, content in (OPEN, head.SerializeToString()), (MESSAGE, request.SerializeToString()):
        owner.sendall(HEAD.pack(kind, len(content)) + content)
    frame, descriptors, _, _ = socket.recv_fds(owner, HEAD.size, 1)
    kind, length = HEAD.unpack(frame)
    if kind != DESCRIPTOR:
        status = local_pb2.LocalStatus.FromString(owner.recv(length))
        raise RuntimeError(f"{status.code}: {status.message}")
    return socket.socket(fileno=descriptors[0]), owner


def send(pipe, payload):
    content = payload.SerializeToString()
    pipe.sendall(HEAD.pack(MESSAGE, len(content)) + content)


def messages(pipe):
    reader = pipe.makefile("rb")
    while head := reader.read(HEAD.size):
        yield common_pb2.Payload.FromString(reader.read(HEAD.unpack(head)[1]))


if __name__ == "__main__":
    pipe, owner = attach(LocalChannel(), sys.argv[1], pipes_pb2.PipeEnd.Value(f"PIPE_END_{sys.argv[2]}"))
    for line in sys.stdin:
        send(pipe, common_pb2.Payload(data=line.rstrip("\n").encode()))
    for message in messages(pipe):
        print(message.data.decode(), flush=True)
