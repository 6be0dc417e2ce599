"""Made the folders journal/killed and journal/compacted. Kept as the description of what they hold; it needs the coordinator of the first release.

    python3 make_journal.py ORCHESTRATOR FOLDER     # the built command of that release; where to put the two journals

The stubs of protos/ must be in PYTHONPATH.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import grpc
from google.protobuf import json_format
from orchestrator.v1 import (admin_pb2, admin_pb2_grpc, queues_pb2, queues_pb2_grpc, sessions_pb2, sessions_pb2_grpc, state_pb2,
                             state_pb2_grpc, sync_pb2, sync_pb2_grpc, tasks_pb2, tasks_pb2_grpc)

command, target = sys.argv[1], pathlib.Path(sys.argv[2])
home = pathlib.Path(tempfile.mkdtemp())
# That release could not wait for longer than 49 days. So that no test comes too late for the results and the retry, its clock stood in another century.
DISK, PROCESS, LONG, CENTURY = "DURABILITY_DISK", "DURABILITY_PROCESS", f"{40 * 86_400}s", "+100y"
CLOCK = os.environ | {"LD_PRELOAD": "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "FAKETIME": CENTURY, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def start():
    (home / "endpoint.json").unlink(missing_ok=True)
    process = subprocess.Popen([command, "serve", "--grpc-port", "0", "--http-port", "0", "--data-dir", home, "--workers", "1", "--hot-spares", "0",
                                "--allow-chaos"], env=CLOCK)
    while not (home / "endpoint.json").exists():
        time.sleep(0.05)
    address = json.loads((home / "endpoint.json").read_text())["grpc"].removeprefix("http://")
    return process, grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)])


def call(stub, method, request, **fields):
    metadata = [("authorization", f"Bearer {(home / 'token').read_text().strip()}")]
    return getattr(stub, method)(json_format.ParseDict(fields, request()), metadata=metadata, timeout=30, wait_for_ready=True)


def fill(channel):
    queues, sync, state = (stub(channel) for stub in (queues_pb2_grpc.QueueServiceStub, sync_pb2_grpc.SyncServiceStub, state_pb2_grpc.StateServiceStub))
    tasks, admin = tasks_pb2_grpc.TaskServiceStub(channel), admin_pb2_grpc.AdminServiceStub(channel)
    me = call(sessions_pb2_grpc.SessionServiceStub(channel), "CreateSession", sessions_pb2.CreateSessionRequest, display_name="maker").session_id
    expected = {}

    # a is rejected and becomes a dead letter, b stays leased, c and d were never delivered.
    call(queues, "CreateQueue", queues_pb2.CreateQueueRequest, spec={"name": "dead", "kind": "QUEUE_KIND_FIFO", "durability": DISK})
    call(queues, "CreateQueue", queues_pb2.CreateQueueRequest, spec={
        "name": "orders", "kind": "QUEUE_KIND_FIFO", "durability": DISK, "max_deliveries": 5, "dead_letter_queue": "dead"})
    call(queues, "Put", queues_pb2.PutRequest, queue="orders", items=[{"body": {"json": text}} for text in "abcd"])
    first = call(queues, "Get", queues_pb2.GetRequest, queue="orders", leased=True, lease="3600s", session_id=me).items[0]
    call(queues, "Settle", queues_pb2.SettleRequest, queue="orders", lease_ids=[first.lease_id], settlement="SETTLEMENT_REJECT", reason="it is odd",
         session_id=me)
    call(queues, "Get", queues_pb2.GetRequest, queue="orders", leased=True, lease="3600s", session_id=me)
    call(queues, "CreateQueue", queues_pb2.CreateQueueRequest, spec={"name": "urgent", "kind": "QUEUE_KIND_PRIORITY", "durability": PROCESS})
    call(queues, "Put", queues_pb2.PutRequest, queue="urgent", items=[
        {"body": {"json": "low"}, "priority": 5}, {"body": {"data": "AAH/"}, "priority": 1}, {"body": {"json": [1, None]}, "priority": 3}])

    # The second grant of a lock guards an entry.
    call(sync, "AcquireLock", sync_pb2.AcquireLockRequest, lock="ledger", session_id=me)
    call(sync, "ReleaseLock", sync_pb2.ReleaseLockRequest, lock="ledger", session_id=me)
    token = call(sync, "AcquireLock", sync_pb2.AcquireLockRequest, lock="ledger", session_id=me).fencing_token
    expected["fencing_token"] = token
    call(state, "UpdateDict", state_pb2.UpdateDictRequest, dict="prices", durability=DISK, edits=[
        {"key": "tea", "set": {"json": {"cents": 250, "tags": ["hot", "é☃"]}}}, {"key": "gone", "set": {"json": 1}}])
    call(state, "UpdateDict", state_pb2.UpdateDictRequest, dict="prices", guard={"lock": "ledger", "fencing_token": token}, edits=[
        {"key": "gone", "delete": True}, {"key": "sold", "add": 2.5}, {"key": "raw", "set": {"data": "AAH/"}}])
    call(state, "UpdateList", state_pb2.UpdateListRequest, list="log", durability=DISK, edits=[
        {"append": {"json": text}} for text in ("one", "three")])
    call(state, "UpdateList", state_pb2.UpdateListRequest, list="log", edits=[{"insert": {"index": 1, "value": {"json": "two"}}}])
    for edit in {"set": {"integer": str(2**60)}}, {"add": {"integer": "3"}}:
        call(state, "UpdateValue", state_pb2.UpdateValueRequest, value="counter", durability=DISK, edit=edit)
    call(state, "UpdateArray", state_pb2.UpdateArrayRequest, array="grid", durability=PROCESS, length=3, edits=[{"index": 1, "edit": {"set": {"real": 0.5}}}])
    expected["versions"] = {
        "prices": call(state, "ReadDict", state_pb2.ReadDictRequest, dict="prices").version,
        "log": call(state, "ReadList", state_pb2.ReadListRequest, list="log").version,
        "counter": call(state, "ReadValue", state_pb2.ReadValueRequest, value="counter").version}

    # Ended with a result and with an error, waiting for a retry, waiting for that one, and queued without a worker.
    def submit(handler, text, **options):
        task = {"handler": handler, "input": {"json": text}, "options": {"durability": DISK, "result_ttl": LONG} | options}
        return call(tasks, "SubmitTasks", tasks_pb2.SubmitTasksRequest, tasks=[task]).task_ids[0]
    ids = {"succeeded": submit("sum_of_squares", {"n": 1_000_000}), "failed": submit("throw", {"message": "no luck"})}
    call(tasks, "WaitTasks", tasks_pb2.WaitTasksRequest, task_ids=list(ids.values()))
    ids["retried"] = submit("throw", {"message": "not yet"}, retry={"max_attempts": 3, "initial_backoff": LONG, "max_backoff": LONG})
    retried = None
    while not retried or not retried.attempts or retried.state != tasks_pb2.TASK_STATE_QUEUED:
        retried = call(tasks, "GetTask", tasks_pb2.GetTaskRequest, task_id=ids["retried"]).task
    ids["dependent"] = submit("echo", "after", depends_on=[ids["retried"]])
    call(admin, "ScaleWorkers", admin_pb2.ScaleWorkersRequest, workers=0)
    ids["queued"] = submit("sum_of_squares", {"n": 3}, labels={"kind": "queued"})
    expected["tasks"] = ids
    return expected


def keep(name):
    (target / name).mkdir(parents=True, exist_ok=True)
    for file in home.glob("journal.db*"):
        # The index of the log is shared memory, and the lock is empty.
        if file.suffix not in (".db-shm", ".lock") and file.stat().st_size > 0:
            shutil.copy(file, target / name / file.name)


process, channel = start()
try:
    expected = fill(channel)
finally:
    process.send_signal(signal.SIGKILL)
process.wait()
keep("killed")
subprocess.run([command, "journal", "compact", "--data-dir", home], env=CLOCK, check=True)
keep("compacted")
(target / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")
shutil.rmtree(home)
