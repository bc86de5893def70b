"""The kit's plugin in Python."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../sdks/python"))

from troupe_plugin import GuardrailRejected, Middleware, Plugin, PluginError, serve  # noqa: E402


def configure(config):
    if config is not None and not isinstance(config, dict):
        raise PluginError("bad_config", "the configuration must be a JSON object")


def no_rm(payload, _context):
    if payload["toolName"] == "mv":
        raise GuardrailRejected("mv isn't allowed here")
    return "rm isn't allowed here" if payload["toolName"] == "rm" else None


serve(
    Plugin(
        name="guardrail",
        version="1.0.0",
        start=configure,
        middleware=[Middleware("tool_conditional_execution_guardrail", "no-rm", no_rm)],
    )
)
