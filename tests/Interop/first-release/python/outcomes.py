"""How things ended, in words: a task, a wait, a refused call."""
import re

from google.protobuf import json_format
from orchestrator.v1 import common_pb2, queues_pb2, tasks_pb2


def reason_of(error):
    """The reason in google.rpc.ErrorInfo { reason, domain } beside the status; googleapis-common-protos would parse all of the details."""
    details = dict(item for item in error.trailing_metadata()).get("grpc-status-details-bin", b"")
    found = re.search(rb"\n.([A-Z_]+)\x12\x0corchestrator", details, re.DOTALL)
    return found[1].decode() if found else error.code().name


def outcome_of(result):
    """Of a task: its output, or the reason why there is none."""
    if result.state != tasks_pb2.TASK_STATE_SUCCEEDED:
        return common_pb2.ErrorReason.Name(result.error.reason).removeprefix("ERROR_REASON_")
    output = json_format.MessageToDict(result.output.json)
    return f"{output:.0f}" if isinstance(output, float) else output


def status_of(response, enum=queues_pb2.WaitStatus):
    return enum.Name(response.status).split("_STATUS_")[1]
