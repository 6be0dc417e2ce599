"""The same scenarios as scenarios.py with asyncio, where waits cost no threads; pipes and tasks go over streams, both ways at once.

    python3 scenarios_aio.py        # prints one line `name: outcome` for each of ../scenarios.json

Needs what run_task.py needs.
"""
import asyncio
import uuid

import grpc
from google.protobuf import json_format
from orchestrator.v1 import (admin_pb2, admin_pb2_grpc, pipes_pb2, pipes_pb2_grpc, queues_pb2, queues_pb2_grpc, sessions_pb2,
                             sessions_pb2_grpc, state_pb2, state_pb2_grpc, sync_pb2, sync_pb2_grpc, tasks_pb2, tasks_pb2_grpc)
from outcomes import outcome_of, reason_of, status_of
from stream_tasks import connect

LIMIT = 30  # Seconds: the limit of every call.


class Client:
    def __init__(self, channel, metadata):
        self.metadata, self.unique, self.sessions = metadata, f"asyncio/{uuid.uuid4().hex[:8]}", []
        self.task_service, self.admin = tasks_pb2_grpc.TaskServiceStub(channel), admin_pb2_grpc.AdminServiceStub(channel)
        self.queues, self.pipes = queues_pb2_grpc.QueueServiceStub(channel), pipes_pb2_grpc.PipeServiceStub(channel)
        self.state, self.sync = state_pb2_grpc.StateServiceStub(channel), sync_pb2_grpc.SyncServiceStub(channel)
        self.session_service = sessions_pb2_grpc.SessionServiceStub(channel)

    def call(self, method, request, **fields):
        return method(json_format.ParseDict(fields, request()), metadata=self.metadata, timeout=LIMIT)

    async def session(self, name):
        self.sessions.append((await self.call(self.session_service.CreateSession, sessions_pb2.CreateSessionRequest, display_name=name)).session_id)
        return self.sessions[-1]

    async def close_sessions(self):
        await asyncio.gather(*[self.call(self.session_service.CloseSession, sessions_pb2.CloseSessionRequest, session_id=id) for id in self.sessions])
        self.sessions.clear()

    def acquire(self, name, owner, timeout="20s"):
        return self.call(self.sync.AcquireLock, sync_pb2.AcquireLockRequest, lock=f"{self.unique}/{name}", session_id=owner, timeout=timeout)

    def release(self, name, owner):
        return self.call(self.sync.ReleaseLock, sync_pb2.ReleaseLockRequest, lock=f"{self.unique}/{name}", session_id=owner)

    async def tasks(self):
        specs = [{"handler": handler, "input": {"json": {"n": 1_000_000}}} for handler in ("sum_of_squares", "sum_of_square")]
        answers = await asyncio.gather(*[self.call(self.task_service.RunTask, tasks_pb2.RunTaskRequest, task=spec) for spec in specs])
        return [outcome_of(answer.result) for answer in answers]

    async def stream(self):
        stream = self.task_service.StreamTasks(metadata=self.metadata, timeout=LIMIT)
        specs = [{"handler": handler, "input": {"json": {"n": n}}} for handler, n in
                 [("sum_of_squares", 3), ("sum_of_squares", 4), ("sum_of_square", 0), ("sum_of_squares", 5)]]
        await stream.write(json_format.ParseDict({"options": {"order": "RESULT_ORDER_SUBMISSION"}, "tasks": specs[:2]}, tasks_pb2.StreamTasksRequest()))
        await stream.write(json_format.ParseDict({"tasks": specs[2:]}, tasks_pb2.StreamTasksRequest()))
        await stream.done_writing()
        return [outcome_of(result) async for response in stream for result in response.results]

    async def queue(self):
        name, me, leases, lines = f"{self.unique}/queue", await self.session("consumer"), [], []

        def settle(lease, settlement):
            return self.call(self.queues.Settle, queues_pb2.SettleRequest, queue=name, lease_ids=[lease], settlement=settlement, session_id=me)
        await self.call(self.queues.CreateQueue, queues_pb2.CreateQueueRequest, spec={"name": name, "kind": "QUEUE_KIND_FIFO"})
        await self.call(self.queues.Put, queues_pb2.PutRequest, queue=name, items=[{"body": {"json": "a"}}, {"body": {"json": "b"}}])
        for settlement in "SETTLEMENT_RETURN", "SETTLEMENT_DONE", "SETTLEMENT_DONE":
            item = (await self.call(self.queues.Get, queues_pb2.GetRequest, queue=name, leased=True, session_id=me, timeout="10s")).items[0]
            lines.append(f"{item.body.json.string_value} delivery {item.delivery}")
            leases.append(item.lease_id)
            await settle(item.lease_id, settlement)
        late = await settle(leases[0], "SETTLEMENT_DONE")
        joined = await self.call(self.queues.Join, queues_pb2.JoinRequest, queue=name, timeout="0s")
        return [*lines, f"{len(late.stale_lease_ids)} stale", f"{joined.unfinished_items} unfinished"]

    async def lock(self):
        first, second = await self.session("first"), await self.session("second")
        held = await self.acquire("lock", first)
        refused = await self.acquire("lock", second, timeout="0s")
        stolen = await reason_for(self.release("lock", second))
        await self.release("lock", first)
        later = await self.acquire("lock", second)
        return [status_of(held), status_of(refused), stolen, status_of(later), "token grew" if later.fencing_token > held.fencing_token else "token did not grow"]

    async def dict(self):
        me, tokens = await self.session("writer"), []

        async def set_to(n, **guard):
            edits = [{"key": "n", "set": {"json": n}}]
            return await self.call(self.state.UpdateDict, state_pb2.UpdateDictRequest, dict=f"{self.unique}/dict", edits=edits, guard=guard)
        version = (await set_to(1)).version
        second = await set_to(2, expected_version=version)
        again = await reason_for(set_to(2, expected_version=version))
        for _ in range(2):
            tokens.append((await self.acquire("guard", me)).fencing_token)
            await self.release("guard", me) if len(tokens) == 1 else None
        third = await set_to(3, lock=f"{self.unique}/guard", fencing_token=tokens[1])
        late = await reason_for(set_to(3, lock=f"{self.unique}/guard", fencing_token=tokens[0]))
        return [f"{second.entries[0].value.json.number_value:.0f}", again, f"{third.entries[0].value.json.number_value:.0f}", late]

    async def pipe(self):
        name, ends, lines = f"{self.unique}/pipe", {}, []
        await self.call(self.pipes.CreatePipe, pipes_pb2.CreatePipeRequest, spec={"name": name, "duplex": True})
        for end in "AB":
            ends[end] = self.pipes.AttachPipe(metadata=self.metadata, timeout=LIMIT)
            await ends[end].write(json_format.ParseDict({"pipe": name, "end": f"PIPE_END_{end}"}, pipes_pb2.AttachPipeRequest()))
        for word, (sender, receiver) in ("ping", "AB"), ("pong", "BA"):
            await ends[sender].write(json_format.ParseDict({"messages": [{"json": word}]}, pipes_pb2.AttachPipeRequest()))
            lines.append((await ends[receiver].read()).messages[0].json.string_value)
        await ends["B"].done_writing()
        lines.append("END_OF_FILE" if (await ends["A"].read()).end_of_file else "no end of file")
        try:
            await ends["A"].write(json_format.ParseDict({"messages": [{"json": "?"}]}, pipes_pb2.AttachPipeRequest()))
            lines.append(f"got {await ends['A'].read()}")
        except grpc.RpcError as error:
            lines.append(reason_of(error))
        return lines

    async def deadlock(self):
        a, b = await self.session("A"), await self.session("B")
        await self.acquire("x", a)
        await self.acquire("y", b)
        waiting = asyncio.ensure_future(self.acquire("y", a))
        while not any(edge.object == f"locks/{self.unique}/y" for edge in (await self.call(self.admin.ExplainWaits, admin_pb2.ExplainWaitsRequest)).edges):
            await asyncio.sleep(0.02)
        refused = await reason_for(self.acquire("x", b))
        await self.release("y", b)
        return [refused, status_of(await waiting)]


async def reason_for(call):
    try:
        await call
    except grpc.RpcError as error:
        return reason_of(error)
    return "OK"


async def main():
    channel, metadata = connect()
    async with channel:
        client = Client(channel, metadata)
        for name in "tasks", "stream", "queue", "lock", "dict", "pipe", "deadlock":
            print(f"{name}: {', '.join(await asyncio.wait_for(getattr(client, name)(), LIMIT))}", flush=True)
            await client.close_sessions()


if __name__ == "__main__":
    asyncio.run(main())
