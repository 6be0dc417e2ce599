"""What runs in a worker: takes assignments, runs their handlers on threads, and reports how they ended."""
import concurrent.futures
import threading
import time
import traceback

from google.protobuf import duration_pb2
from orchestrator.v1 import common_pb2, tasks_pb2
from orchestrator.worker.v1 import worker_pb2 as wire

from .payloads import from_payload, to_payload


class InvalidInput(ValueError):
    """The caller's fault: the task fails with INVALID, and a retry would not help."""


class Cancelled(Exception):
    """Raised by Context.check() once the task's cancellation is asked for."""


class Context:
    """What a handler knows of its attempt. session is the session that owns what the handler acquires at the coordinator (Worker.coordinator)."""

    def __init__(self, assignment, send):
        self.send, self.task_id, self.attempt = send, assignment.task_id, assignment.attempt
        # The parent of spans that the handler makes, as an OpenTelemetry SDK reads it from the header of this name.
        self.traceparent = assignment.traceparent
        self.session, self.cancelled = f"task-{self.task_id}-{self.attempt}", threading.Event()

    def check(self):
        if self.cancelled.is_set():
            raise Cancelled()

    def sleep(self, seconds):
        self.cancelled.wait(seconds)
        self.check()

    def progress(self, completed, total=0, message=""):
        step = tasks_pb2.Progress(completed=completed, total=total, message=message)
        self.send(events=[wire.AttemptEvent(task_id=self.task_id, attempt=self.attempt, progress=step)])


class Attempts:
    """The attempts assigned to this worker, started or not. Reports go to send; recorder is the flight recorder, or None."""

    def __init__(self, slots, send, on_drained):
        self.pools, self.handlers, self.recorder = [concurrent.futures.ThreadPoolExecutor(count) for count in slots], {}, None
        self.send, self.on_drained = send, on_drained
        self.lock, self.attempts, self.draining = threading.Lock(), {}, False

    def running(self):
        return sum(future.running() for _, future in list(self.attempts.values()))

    def take(self, assignment):
        context = Context(assignment, self.send)
        ref = wire.AttemptRef(task_id=assignment.task_id, attempt=assignment.attempt)
        _, pool = self.handlers.get(assignment.handler, (None, self.pools[1]))
        with self.lock:
            if not self.draining:
                self.attempts[ref.task_id, ref.attempt] = context, pool.submit(self.execute, assignment, context)
                return
        self.send(returned=[ref])

    def cancel(self, ref):
        if self.take_back(ref):
            error = tasks_pb2.TaskError(reason=common_pb2.ERROR_REASON_CANCELLED, rung=tasks_pb2.CANCEL_RUNG_BEFORE_START)
            self.send(results=[wire.AttemptResult(task_id=ref.task_id, attempt=ref.attempt, error=error)])
        elif found := self.attempts.get((ref.task_id, ref.attempt)):
            found[0].cancelled.set()

    def take_back(self, ref):
        """Whether the attempt had not started; it then never will."""
        with self.lock:
            _, future = self.attempts.get((ref.task_id, ref.attempt), (None, None))
            return future is not None and future.cancel() and self.attempts.pop((ref.task_id, ref.attempt)) is not None

    def give_back(self, refs):
        self.send(returned=[ref for ref in refs if self.take_back(ref)])

    def drain(self):
        """Accepts no more attempts and returns those that have not started; running ones may finish."""
        with self.lock:
            self.draining = True
        self.give_back([wire.AttemptRef(task_id=key[0], attempt=key[1]) for key in list(self.attempts)])
        self.end_if_drained()

    def end_if_drained(self):
        if self.draining and not self.attempts:
            self.on_drained()

    def execute(self, assignment, context):
        self.mark(assignment, 1)
        started, used = time.perf_counter(), time.thread_time()
        result = wire.AttemptResult(task_id=assignment.task_id, attempt=assignment.attempt)
        try:
            if assignment.handler not in self.handlers:
                raise LookupError(f"this worker has no handler '{assignment.handler}'")
            result.output.CopyFrom(to_payload(self.handlers[assignment.handler][0](from_payload(assignment.input), context)))
        except Cancelled:
            result.error.reason, result.error.rung = common_pb2.ERROR_REASON_CANCELLED, tasks_pb2.CANCEL_RUNG_COOPERATIVE
        except BaseException as error:  # SystemExit too: a task must not end its worker by accident.
            result.error.reason = common_pb2.ERROR_REASON_INVALID if isinstance(error, InvalidInput) else common_pb2.ERROR_REASON_HANDLER_FAILED
            result.error.type, result.error.message, result.error.stack_trace = type(error).__name__, str(error), traceback.format_exc()
        result.run.CopyFrom(duration(time.perf_counter() - started))
        if assignment.timing:
            result.cpu_time.CopyFrom(duration(time.thread_time() - used))
        self.mark(assignment, 2)
        self.send(results=[result])
        with self.lock:
            del self.attempts[assignment.task_id, assignment.attempt]
        self.end_if_drained()

    def mark(self, assignment, state):
        """The flight recorder outlives this process and shows which attempts had started when it died."""
        if self.recorder is not None:
            self.recorder[assignment.slot] = state


def duration(seconds):
    return duration_pb2.Duration(seconds=int(seconds), nanos=int(seconds % 1 * 1e9))
