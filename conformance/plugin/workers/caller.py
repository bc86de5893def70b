"""The kit's actor in Python that calls tools and models."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../sdks/python"))

from troupe_plugin import Abort, Actor, Plugin, PluginError, serve  # noqa: E402


def uuid_of(scope):
    return json.loads(scope)["parent_uuid"]


def failure_of(fn):
    """What it gives, or the error by its name."""
    try:
        return fn()
    except PluginError as error:
        return f"{error.group}.{error.code}"


def tool(c, name, args):
    def run(given, context):
        c.state["ran"] += 1
        return {"given": given, "within": uuid_of(context.scope), "below": uuid_of(c.scope)}

    return c.tool(name, args, run, tool_call_id="call_1", metadata={"a": "b"})


def raises(error):
    def run(_given, _context):
        raise error

    return run


def fails(c):
    """Its caller gets the very error, whatever it is."""
    unexpected, dull = KeyError("where it is"), PluginError("dull", "the tool is dull")
    for error in (unexpected, dull):
        try:
            c.tool("fails" if error is dull else "breaks", 1, raises(error))
        except Exception as caught:
            if caught is not error:
                raise AssertionError(f"another one: {caught!r}") from caught
    raise dull


def nested(c):
    def inner(two, _context):
        return two

    return c.tool("outer", 1, lambda one, context: c.tool("inner", one, inner, parent=context.scope))


def model(c, request):
    def run(given, _context):
        return {"headers": given["headers"], "content": given["content"]}

    return c.llm("openai", request, run, model_name="m-1")


def given_up(c):
    abort = Abort()
    told = []

    def run(_given, context):
        abort.set()
        if context.abort.wait(60):
            told.append("told")

    return [failure_of(lambda: c.tool("slow", 1, run, abort=abort)), *told]


def late(c):
    def run(_given, _context):
        c.state["ran"] += 1

    abort = Abort()
    abort.set()
    return c.tool("late", 1, run, abort=abort)


def open_stream(c, name, content, **options):
    def run(request, context):
        try:
            for one in range(request["content"]["chunks"]):
                c.state["made"] += 1
                yield {"one": one, "within": uuid_of(context.scope)}
            if request["content"].get("fails"):
                raise PluginError("dull", "the model is dull")
        finally:
            c.state["ended"] += 1
            if context.abort.is_set():
                c.state["told"] += 1

    return c.llm_stream(name, {"headers": {}, "content": content}, run, **options)


def stream(c, content, most):
    got = []
    with open_stream(c, "openai", content) as chunks:
        if most == 0:
            return got
        for chunk in chunks:
            got.append(chunk)
            if len(got) == most:
                break
    return got


def items(c, content):
    """The chunks are its items."""
    return open_stream(c, "openai", content)


def stream_given_up(c):
    abort = Abort()
    chunks = open_stream(c, "slow", {"chunks": 9}, abort=abort)
    next(chunks)
    abort.set()
    return [failure_of(lambda: next(chunks)), next(chunks, None) is None]


def leave(c):
    c.vars["stream"] = open_stream(c, "left", {"chunks": 9})
    next(c.vars["stream"])


def go_on(c):
    chunks = c.vars["stream"]
    return [failure_of(lambda: next(chunks)), next(chunks, None) is None]


def many(c, most):
    left = [open_stream(c, "many", {"chunks": 9}) for _ in range(most)]
    refused = failure_of(lambda: open_stream(c, "many", {"chunks": 9}))
    left[0].close()
    left.append(open_stream(c, "many", {"chunks": 9}))
    return [refused, len(left)]


ACTIONS = {
    "counts": lambda c: dict(c.state),
    "tool": tool,
    "fails": fails,
    "nested": nested,
    "model": model,
    "givenUp": given_up,
    "late": late,
    "stream": stream,
    "noStream": lambda c: c.llm_stream("openai", {"headers": {}, "content": 1}, lambda _given, _context: 1),
    "items": items,
    "streamGivenUp": stream_given_up,
    "leave": leave,
    "goOn": go_on,
    "many": many,
}

serve(
    Plugin(
        name="caller",
        actors=[Actor(name="caller", state={"ran": 0, "made": 0, "ended": 0, "told": 0}, actions=ACTIONS)],
    ),
    # What is called runs where it is called from: no second thread is needed.
    threads=1,
)
