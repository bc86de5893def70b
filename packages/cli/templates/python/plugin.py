"""A counter, a guardrail and an exporter: one of each that a plugin may bring."""

from troupe_plugin import Actor, GuardrailRejected, Middleware, Plugin, PluginError


def get(c):
    return c.state["count"]


def increment(c, by=None):
    """State that survives, an event for who listens, and an error that its caller can read."""
    if not isinstance(by, int) or isinstance(by, bool):
        raise PluginError("not_a_number", "increment takes an integer")
    c.state["count"] += by
    c.broadcast("changed", c.state["count"])
    return c.state["count"]


def no_rm(payload, _context):
    """Answers nothing, or the reason why not; what is raised is a rejection as well."""
    if payload["toolName"] == "mv":
        raise GuardrailRejected("mv isn't allowed here")
    return "rm isn't allowed here" if payload["toolName"] == "rm" else None


def lines(event, context):
    """Hears every event of the host's relay, and writes a line for each call that has ended."""
    if event.get("scope_category") == "end":
        context.host.log("info", f"ended: {event['name']}")


def configure(config):
    if config is not None and not isinstance(config, dict):
        raise PluginError("bad_config", "the configuration must be a JSON object")


PLUGIN = Plugin(
    name="__ID__",
    version="0.1.0",
    start=configure,
    actors=[
        Actor(
            name="counter",
            state={"count": 0},
            events=["changed"],
            actions={"get": get, "increment": increment},
        )
    ],
    middleware=[
        Middleware("tool_conditional_execution_guardrail", "no-rm", no_rm),
        Middleware("subscriber", "lines", lines),
    ],
)
