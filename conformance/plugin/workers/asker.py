"""The kit's third plugin in Python: it asks its host. `toolName` says for what."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../sdks/python"))

from troupe_plugin import HostScope, Middleware, Plugin, serve  # noqa: E402

kept = {}


def ready(host):
    kept["host"] = host
    host.mark("ready")


def scope(host, _args):
    pushed = host.push_scope("inner", "function", input="in", metadata={"a": 1})
    host.mark("within", scope=pushed)
    host.pop_scope(pushed, output="out")
    return propagation(pushed)


def failed(host, _args):
    host.pop_scope(host.push_scope("failed", "function"), error=ValueError("too far"))


def leave(host, _args):
    kept["left"] = host.push_scope("left", "function")


def fork(host, _args):
    pushed = host.push_scope("outer", "function")
    beside, alone = host.fork_scope(pushed), host.fork_scope()
    host.mark("beside", scope=beside)
    host.mark("alone", scope=alone)
    host.drop_scope(beside)
    host.drop_scope(alone)
    host.pop_scope(pushed)
    return {"of": propagation(pushed), "fork": propagation(beside), "alone": propagation(alone)}


def flood(host, _args):
    while True:
        host.push_scope("one more", "function")


def codec(host, request):
    return host.encode_request({**host.decode_request(request), "model": "other"}, request)


def propagation(made):
    return None if made.propagation is None else spelled(made.propagation)


def spelled(text):
    said = json.loads(text)
    return {"version": 1, "rootUuid": said["root_uuid"], "parentUuid": said["parent_uuid"]}


questions = {
    "mark": lambda host, _: host.mark("seen", {"n": 1}, severity="warn", metadata={"a": "b"}),
    "metric": lambda host, value: host.metric(
        "size", [{"name": "bytes", "kind": "gauge", "valueType": "u64", "value": value}]
    ),
    "scope": scope,
    "failed": failed,
    "leave": leave,
    "popLeft": lambda host, _: host.pop_scope(kept["left"]),
    "fork": fork,
    "foreign": lambda host, name: host.pop_scope(HostScope(name, None)),
    "under": lambda host, name: host.mark("under", scope=HostScope(name, None)),
    "flood": flood,
    "codec": codec,
    "unreadable": lambda host, _: host.decode_response("odd", "openai_chat"),
    "registrations": lambda host, _: host.list_registrations(["subscriber"]),
    "diagnostics": lambda host, _: host.diagnostics(),
    "closeGate": lambda host, name: host.close_gate("g", ["tool_request_intercept"], name, "not now"),
    "openGate": lambda host, _: host.open_gate("g"),
    "log": lambda host, _: host.log("warn", "a word"),
    "wholly": lambda _host, _: kept["host"].mark("wholly"),
}


def ask(payload, context):
    if payload["toolName"] == "scoped":
        return {"result": spelled(context.scope)}
    return {"result": questions[payload["toolName"]](context.host, payload["args"])}


serve(Plugin(name="asker", ready=ready, middleware=[Middleware("tool_execution_intercept", "asker", ask)]))
