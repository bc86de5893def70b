"""The kit's second plugin in Python: it goes around calls."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../sdks/python"))

from troupe_plugin import Middleware, Plugin, serve  # noqa: E402


def twice(payload, context):
    if payload["toolName"] == "none":
        return {"result": "not run"}
    first = context.next(payload["args"])
    return context.next(first["result"]) if payload["toolName"] == "twice" else first


def louder(payload, context):
    for chunk in context.next(payload["request"]):
        yield f"{chunk}!"
    yield "the end"


serve(
    Plugin(
        name="around",
        middleware=[
            Middleware("tool_execution_intercept", "twice", twice),
            Middleware("llm_stream_execution_intercept", "louder", louder),
        ],
    )
)
