"""What a client can do, in plain blocking Python: tasks, a stream, a queue with leases, a lock with its token, a dict with guards, a pipe, a deadlock.

    python3 scenarios.py            # prints one line `name: outcome` for each of ../scenarios.json

Needs what run_task.py needs.
"""
import concurrent.futures
import time
import uuid

import grpc
from google.protobuf import json_format
from orchestrator.v1 import (admin_pb2, admin_pb2_grpc, pipes_pb2, pipes_pb2_grpc, queues_pb2, queues_pb2_grpc, sessions_pb2,
                             sessions_pb2_grpc, state_pb2, state_pb2_grpc, sync_pb2, sync_pb2_grpc, tasks_pb2, tasks_pb2_grpc)
from outcomes import outcome_of, reason_of, status_of
from run_task import connect

LIMIT = 30  # Seconds: no call may take longer, whatever happens.
channel, metadata = connect()
unique = f"python/{uuid.uuid4().hex[:8]}"
sessions = []  # What a client holds belongs to its sessions, and goes back when they are closed.


def call(method, request, **fields):
    """One unary call. A request's fields may be written as JSON would have them."""
    return method(json_format.ParseDict(fields, request()), metadata=metadata, timeout=LIMIT)


def reason_for(method, request, **fields):
    try:
        call(method, request, **fields)
    except grpc.RpcError as error:
        return reason_of(error)
    return "OK"


def session(name):
    stub = sessions_pb2_grpc.SessionServiceStub(channel)
    sessions.append(call(stub.CreateSession, sessions_pb2.CreateSessionRequest, display_name=name).session_id)
    return sessions[-1]


def tasks():
    run = tasks_pb2_grpc.TaskServiceStub(channel).RunTask
    for handler in "sum_of_squares", "sum_of_square":
        yield outcome_of(call(run, tasks_pb2.RunTaskRequest, task={"handler": handler, "input": {"json": {"n": 1_000_000}}}).result)


def stream():
    def spec(n, handler="sum_of_squares"):
        return {"handler": handler, "input": {"json": {"n": n}}}
    messages = {"options": {"order": "RESULT_ORDER_SUBMISSION"}, "tasks": [spec(3), spec(4)]}, {"tasks": [spec(0, "sum_of_square"), spec(5)]}
    requests = (json_format.ParseDict(message, tasks_pb2.StreamTasksRequest()) for message in messages)
    for response in tasks_pb2_grpc.TaskServiceStub(channel).StreamTasks(requests, metadata=metadata, timeout=LIMIT):
        yield from map(outcome_of, response.results)


def queue():
    stub, name, me = queues_pb2_grpc.QueueServiceStub(channel), f"{unique}/queue", session("consumer")
    call(stub.CreateQueue, queues_pb2.CreateQueueRequest, spec={"name": name, "kind": "QUEUE_KIND_FIFO"})
    call(stub.Put, queues_pb2.PutRequest, queue=name, items=[{"body": {"json": "a"}}, {"body": {"json": "b"}}])
    leases = []
    for settlement in "RETURN", "DONE", "DONE":
        item = call(stub.Get, queues_pb2.GetRequest, queue=name, leased=True, session_id=me, timeout="10s").items[0]
        yield f"{item.body.json.string_value} delivery {item.delivery}"
        call(stub.Settle, queues_pb2.SettleRequest, queue=name, lease_ids=[item.lease_id], settlement=f"SETTLEMENT_{settlement}", session_id=me)
        leases.append(item.lease_id)
    late = call(stub.Settle, queues_pb2.SettleRequest, queue=name, lease_ids=leases[:1], settlement="SETTLEMENT_DONE", session_id=me)
    yield f"{len(late.stale_lease_ids)} stale"
    yield f"{call(stub.Join, queues_pb2.JoinRequest, queue=name, timeout='0s').unfinished_items} unfinished"


def lock():
    stub, name, first, second = sync_pb2_grpc.SyncServiceStub(channel), f"{unique}/lock", session("first"), session("second")
    held = call(stub.AcquireLock, sync_pb2.AcquireLockRequest, lock=name, session_id=first)
    yield status_of(held)
    yield status_of(call(stub.AcquireLock, sync_pb2.AcquireLockRequest, lock=name, session_id=second, timeout="0s"))
    yield reason_for(stub.ReleaseLock, sync_pb2.ReleaseLockRequest, lock=name, session_id=second)
    call(stub.ReleaseLock, sync_pb2.ReleaseLockRequest, lock=name, session_id=first)
    later = call(stub.AcquireLock, sync_pb2.AcquireLockRequest, lock=name, session_id=second, timeout="10s")
    yield status_of(later)
    yield "token grew" if later.fencing_token > held.fencing_token else f"tokens {held.fencing_token}, {later.fencing_token}"


def dict_():
    stub, sync, name, me = state_pb2_grpc.StateServiceStub(channel), sync_pb2_grpc.SyncServiceStub(channel), f"{unique}/dict", session("writer")

    def set_to(n, **guard):
        try:
            return call(stub.UpdateDict, state_pb2.UpdateDictRequest, dict=name, edits=[{"key": "n", "set": {"json": n}}], guard=guard)
        except grpc.RpcError as error:
            return error

    def shown(answer):
        return reason_of(answer) if isinstance(answer, grpc.RpcError) else f"{answer.entries[0].value.json.number_value:.0f}"
    version = set_to(1).version
    yield shown(set_to(2, expected_version=version))
    yield shown(set_to(2, expected_version=version))
    tokens = []
    for _ in range(2):
        if tokens:
            call(sync.ReleaseLock, sync_pb2.ReleaseLockRequest, lock=name, session_id=me)
        tokens.append(call(sync.AcquireLock, sync_pb2.AcquireLockRequest, lock=name, session_id=me, timeout="10s").fencing_token)
    yield shown(set_to(3, lock=name, fencing_token=tokens[1]))
    yield shown(set_to(3, lock=name, fencing_token=tokens[0]))


def pipe():
    stub, name = pipes_pb2_grpc.PipeServiceStub(channel), f"{unique}/pipe"
    call(stub.CreatePipe, pipes_pb2.CreatePipeRequest, spec={"name": name, "duplex": True})
    for word, (sender, receiver) in ("ping", "AB"), ("pong", "BA"):
        call(stub.Send, pipes_pb2.SendRequest, pipe=name, end=f"PIPE_END_{sender}", messages=[{"json": word}], timeout="10s")
        yield call(stub.Receive, pipes_pb2.ReceiveRequest, pipe=name, end=f"PIPE_END_{receiver}", timeout="10s").messages[0].json.string_value
    call(stub.ClosePipeEnd, pipes_pb2.ClosePipeEndRequest, pipe=name, end="PIPE_END_B")
    yield status_of(call(stub.Receive, pipes_pb2.ReceiveRequest, pipe=name, end="PIPE_END_A", timeout="10s"), pipes_pb2.PipeStatus)
    yield status_of(call(stub.Send, pipes_pb2.SendRequest, pipe=name, end="PIPE_END_A", messages=[{"json": "?"}], timeout="10s"), pipes_pb2.PipeStatus)


def deadlock():
    stub, admin, a, b = sync_pb2_grpc.SyncServiceStub(channel), admin_pb2_grpc.AdminServiceStub(channel), session("A"), session("B")

    def acquire(name, owner):
        return call(stub.AcquireLock, sync_pb2.AcquireLockRequest, lock=f"{unique}/{name}", session_id=owner, timeout="20s")
    acquire("x", a)
    acquire("y", b)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting, until = pool.submit(acquire, "y", a), time.monotonic() + LIMIT
        while not any(edge.waiter_session == a for edge in call(admin.ExplainWaits, admin_pb2.ExplainWaitsRequest).edges) and time.monotonic() < until:
            time.sleep(0.02)
        yield reason_for(stub.AcquireLock, sync_pb2.AcquireLockRequest, lock=f"{unique}/x", session_id=b, timeout="20s")
        call(stub.ReleaseLock, sync_pb2.ReleaseLockRequest, lock=f"{unique}/y", session_id=b)
        yield status_of(waiting.result())


if __name__ == "__main__":
    with channel:
        for name, scenario in dict(tasks=tasks, stream=stream, queue=queue, lock=lock, dict=dict_, pipe=pipe, deadlock=deadlock).items():
            print(f"{name}: {', '.join(scenario())}", flush=True)
            while sessions:
                call(sessions_pb2_grpc.SessionServiceStub(channel).CloseSession, sessions_pb2.CloseSessionRequest, session_id=sessions.pop())
