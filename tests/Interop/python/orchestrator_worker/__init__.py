"""Serves Python functions as tasks of an Orchestrator worker process; worker.py shows its use. The launch contract that it
implements is in the comments of protos/orchestrator/worker/v1/worker.proto. Needs grpcio, protobuf and the stubs of protos/ (see worker.py)."""
import concurrent.futures
import ctypes
import fcntl
import hmac
import mmap
import os
import platform
import queue
import signal
import sys
import threading
import time

import grpc
from google.protobuf import json_format
from orchestrator.v1 import tasks_pb2
from orchestrator.worker.v1 import worker_pb2 as wire, worker_pb2_grpc

from .attempts import Attempts, Cancelled, Context, InvalidInput
from .payloads import to_payload

__all__ = ["Cancelled", "Context", "InvalidInput", "Worker"]


class Worker(worker_pb2_grpc.WorkerServiceServicer):
    """Handlers run on threads: CPU-bound ones on cpu_threads (more than one share the interpreter's lock), others on io_threads."""

    def __init__(self, cpu_threads=1, io_threads=64):
        self.slots, self.infos, self.out = (cpu_threads, io_threads), [], queue.SimpleQueue()
        self.attempts = Attempts(self.slots, self.send, on_drained=lambda: self.out.put(None))
        self.half_closed, self.done = threading.Event(), threading.Event()

    def handler(self, kind="cpu", description="", example=None):
        """Registers a function of (input, context) under its own name; kind is cpu or io. Bytes come and go as bytes, anything else as JSON."""
        def register(function):
            info = tasks_pb2.HandlerInfo(name=function.__name__, kind=f"TASK_KIND_{kind.upper()}", description=description)
            if example is not None:
                info.example_input.CopyFrom(to_payload(example))
            self.infos.append(info)
            self.attempts.handlers[function.__name__] = function, self.attempts.pools[kind != "cpu"]
            return function
        return register

    def run(self):
        """Serves until the coordinator drains this worker or ends."""
        # Handlers must not read from or wait on the coordinator's pipe: it moves to another descriptor, and /dev/null takes its place.
        control = os.fdopen(fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 10))
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        self.launch = json_format.Parse(control.readline(), wire.WorkerLaunch(), ignore_unknown_fields=True)
        # The kernel kills this process when its coordinator dies, however busy the interpreter is.
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        threading.Thread(target=lambda: (control.read(), os._exit(0)), daemon=True).start()
        if os.getppid() != self.launch.coordinator_pid:
            sys.exit("the coordinator is gone")
        os.umask(0o077)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: self.attempts.drain())
        if self.launch.recorder_path:
            with open(self.launch.recorder_path, "r+b") as file:
                self.attempts.recorder = mmap.mmap(file.fileno(), 0)
        # Kestrel rejects the default authority, which gRPC derives from the socket's path.
        self.coordinator = grpc.insecure_channel(self.launch.coordinator_address, [("grpc.default_authority", "localhost"), ("grpc.max_receive_message_length", -1)])
        self.coordinator_metadata = [("authorization", f"Bearer {self.launch.coordinator_token}")]
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)])
        worker_pb2_grpc.add_WorkerServiceServicer_to_server(self, server)
        serving = grpc.unary_unary_rpc_method_handler(lambda request, context: b"\x08\x01")  # HealthCheckResponse { SERVING }
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": serving})])
        server.add_insecure_port(f"unix:{self.launch.socket}")
        server.start()
        self.done.wait()
        server.stop(1).wait()
        os._exit(0)

    def Execute(self, requests, context):
        """The one stream: a reader thread handles the coordinator's messages, this generator sends all that has queued up since the last message."""
        if not hmac.compare_digest(dict(context.invocation_metadata()).get("authorization", ""), f"Bearer {self.launch.token}"):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "the token is not this worker's")
        yield wire.ExecuteResponse(hello=wire.Hello(
            name=self.launch.name, incarnation=self.launch.incarnation, pid=os.getpid(), runtime=f"python {platform.python_version()}",
            handlers=self.infos, records_flight=self.attempts.recorder is not None, cpu_slots=self.slots[0], io_slots=self.slots[1], blocking_slots=1))
        threading.Thread(target=self.read, args=[requests], daemon=True).start()
        threading.Thread(target=self.beat, daemon=True).start()
        while (response := self.out.get()) is not None:
            while not self.out.empty() and response.ByteSize() < 65_536:
                if (more := self.out.get()) is None:
                    self.out.put(None)
                    break
                response.MergeFrom(more)
            yield response
        # The coordinator half-closes once it has every result; a stream that ends before that is reset, and may lose some.
        self.half_closed.wait(2)
        self.done.set()

    def read(self, requests):
        try:
            for request in requests:
                for assignment in request.assignments:
                    self.attempts.take(assignment)
                for ref in request.cancels:
                    self.attempts.cancel(ref)
                self.attempts.give_back(request.give_back)
                if request.drain:
                    self.attempts.drain()
        except grpc.RpcError:
            os._exit(1)  # The stream broke: running handlers have no receiver for their results.
        self.half_closed.set()
        self.attempts.drain()

    def beat(self):
        used, at, page = time.process_time(), time.monotonic(), os.sysconf("SC_PAGE_SIZE")
        while not self.done.wait(0.5):
            before, since, used, at = used, at, time.process_time(), time.monotonic()
            with open("/proc/self/statm") as file:
                rss = int(file.read().split()[1]) * page
            running = self.attempts.running()
            self.send(vitals=wire.Vitals(cpu_percent=100 * (used - before) / (at - since), rss_bytes=rss, threads=threading.active_count(),
                                         running=running, waiting=len(self.attempts.attempts) - running))

    def send(self, **content):
        self.out.put(wire.ExecuteResponse(**content))
