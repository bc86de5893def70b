"""Refuses one tool by its name."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "sdk"))

from troupe_plugin import Middleware, Plugin, serve  # noqa: E402


def no_rm(payload, _context):
    return "rm isn't allowed here" if payload["toolName"] == "rm" else None


serve(
    Plugin(
        name="__ID__",
        version="0.1.0",
        middleware=[Middleware("tool_conditional_execution_guardrail", "no-rm", no_rm)],
    )
)
