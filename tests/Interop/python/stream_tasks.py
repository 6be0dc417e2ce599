"""Streams tasks in and results out over one call, with flow control both ways.

    python3 stream_tasks.py 10000

Needs what run_task.py needs. Computes sum_of_squares for many n and checks each result.
"""
import asyncio
import json
import os
import pathlib
import sys

import grpc
from orchestrator.v1 import tasks_pb2, tasks_pb2_grpc

BATCH = 256  # Tasks per message: shares a message's cost among tasks and keeps messages small.


def connect():
    """The channel to the running coordinator and the metadata that every call needs."""
    home = pathlib.Path(os.environ.get("ORCHESTRATOR_DATA_DIR", "~/.local/state/orchestrator")).expanduser()
    address = json.loads((home / "endpoint.json").read_text())["grpc"].removeprefix("http://")
    token = os.environ.get("ORCHESTRATOR_TOKEN") or (home / "token").read_text().strip()
    # The coordinator is on this machine: no proxy lies between.
    channel = grpc.aio.insecure_channel(address, options=[("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", -1)])
    return channel, [("authorization", f"Bearer {token}")]


class Window:
    """How many tasks may be unfinished: a batch at first, then the credits that the coordinator grants."""

    def __init__(self):
        self.size, self.unfinished, self.peak = BATCH, 0, 0
        self.changed = asyncio.Condition()

    async def take(self, count):
        async with self.changed:
            await self.changed.wait_for(lambda: self.unfinished + count <= self.size)
            self.unfinished += count
            self.peak = max(self.peak, self.unfinished)

    async def give(self, count, credits):
        async with self.changed:
            self.unfinished -= count
            self.size = max(self.size, credits)
            self.changed.notify_all()


def spec(number):
    task = tasks_pb2.TaskSpec(handler="sum_of_squares", tag=number)
    task.input.json.struct_value["n"] = number % 1000
    return task


async def send(call, window, count):
    for start in range(0, count, BATCH):
        batch = [spec(number) for number in range(start, min(start + BATCH, count))]
        await window.take(len(batch))
        # Returns once the transport has room, so a slow coordinator slows this loop down.
        await call.write(tasks_pb2.StreamTasksRequest(tasks=batch))
    await call.done_writing()


async def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    channel, metadata = connect()
    async with channel:
        call = tasks_pb2_grpc.TaskServiceStub(channel).StreamTasks(metadata=metadata, timeout=120)
        window, succeeded, wrong = Window(), 0, []
        sender = asyncio.create_task(send(call, window, count))
        try:
            async for response in call:
                await window.give(len(response.results), response.credits)
                for result in response.results:
                    n = result.tag % 1000
                    if result.state == tasks_pb2.TASK_STATE_SUCCEEDED and result.output.json.number_value == (n - 1) * n * (2 * n - 1) // 6:
                        succeeded += 1
                    else:
                        wrong.append(result)
            await sender
        except grpc.aio.AioRpcError as error:
            sys.exit(f"{error.code().name}: {error.details()}")
        finally:
            sender.cancel()
    print(f"{count} tasks, {succeeded} right, at most {window.peak} unfinished")
    if wrong or succeeded != count:
        sys.exit(f"wrong: {wrong[:3]}")


if __name__ == "__main__":
    asyncio.run(main())
