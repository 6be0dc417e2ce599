"""Calls the coordinator with a worker's token, as a member of a given process group, and prints the status of each call.

usage: worker_calls.py PROCESS_GROUP ADDRESS TOKEN SESSION
"""

import os
import sys

import grpc

from orchestrator.v1 import queues_pb2, queues_pb2_grpc, sessions_pb2, sessions_pb2_grpc, sync_pb2, sync_pb2_grpc, tasks_pb2, tasks_pb2_grpc


def attempt(name, call):
    try:
        call()
        print(f"{name} OK")
    except grpc.RpcError as error:
        print(f"{name} {error.code().name} {error.details()}")


def main():
    group, address, token, session = sys.argv[1:5]
    if int(group):
        os.setpgid(0, int(group))
    metadata = [("authorization", f"Bearer {token}")]
    # The authority that gRPC derives from a socket's path is not one that an HTTP server accepts.
    with grpc.insecure_channel(address, options=[("grpc.default_authority", "localhost"), ("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", -1)]) as channel:
        sync, sessions = sync_pb2_grpc.SyncServiceStub(channel), sessions_pb2_grpc.SessionServiceStub(channel)
        lock = sync_pb2.AcquireLockRequest(lock="mine", session_id=session)
        attempt("unary", lambda: sync.AcquireLock(lock, metadata=metadata, timeout=20))
        attempt("resume", lambda: list(sessions.Connect(iter([sessions_pb2.ConnectRequest(session_id=session)]), metadata=metadata, timeout=20)))
        operation = sessions_pb2.Operation(operation_id=1, acquire_lock=lock)
        attempt("nested", lambda: list(sessions.Connect(iter([sessions_pb2.ConnectRequest(operations=[operation])]), metadata=metadata, timeout=20)))
        attempt("own", lambda: sessions.CreateSession(sessions_pb2.CreateSessionRequest(), metadata=metadata, timeout=20))
        attempt("list", lambda: queues_pb2_grpc.QueueServiceStub(channel).ListQueues(queues_pb2.ListQueuesRequest(), metadata=metadata, timeout=20))
        attempt("tasks", lambda: tasks_pb2_grpc.TaskServiceStub(channel).ListTasks(tasks_pb2.ListTasksRequest(), metadata=metadata, timeout=20))


if __name__ == "__main__":
    main()
