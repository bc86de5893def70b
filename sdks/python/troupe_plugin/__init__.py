"""Troupe plugins in Python: a worker process of actors and middleware."""

from .abort import Abort
from .actor import Actor, ActorContext
from .connections import Connection
from .host import Host, HostScope
from .kept import Delivery, Message
from .lent import CallContext
from .model_streams import ModelStream
from .other import Other
from .plugin import Context, GuardrailRejected, Middleware, Plugin, PluginError
from .requests import Request, Response
from .sockets import Socket, Sockets
from .values import UNDEFINED, BigInt, Date, Failure, Map, RegExp, Set, ValueRefused, View

__all__ = [
    "UNDEFINED",
    "Abort",
    "Actor",
    "ActorContext",
    "BigInt",
    "CallContext",
    "Connection",
    "Context",
    "Date",
    "Delivery",
    "Failure",
    "GuardrailRejected",
    "Host",
    "HostScope",
    "Map",
    "Message",
    "Middleware",
    "ModelStream",
    "Other",
    "Plugin",
    "PluginError",
    "RegExp",
    "Request",
    "Response",
    "Set",
    "Socket",
    "Sockets",
    "ValueRefused",
    "View",
    "serve",
]


def __getattr__(name: str) -> object:
    """`serve` brings gRPC, which processes that only speak to an actor's runtime socket need not have."""
    if name != "serve":
        raise AttributeError(name)
    from .worker import serve

    return serve
