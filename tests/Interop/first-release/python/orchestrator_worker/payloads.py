"""Python values as payloads: bytes stay bytes, anything else travels as JSON."""
from google.protobuf import json_format, struct_pb2
from orchestrator.v1 import common_pb2

EXACT = 2**53  # JSON's numbers are doubles: an integer beyond travels as a decimal string.


def from_payload(payload):
    return payload.data if payload.WhichOneof("content") == "data" else json_format.MessageToDict(payload.json)


def to_payload(value):
    if isinstance(value, bytes):
        return common_pb2.Payload(data=value)
    return common_pb2.Payload(json=json_format.ParseDict(exact(value), struct_pb2.Value()))


def exact(value):
    if isinstance(value, dict):
        return {str(key): exact(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [exact(item) for item in value]
    return str(value) if isinstance(value, int) and abs(value) > EXACT else value
