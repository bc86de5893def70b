"""Troupe plugins in Python: a worker process of actors and middleware."""

from .actor import Actor, ActorContext
from .host import Host, HostScope
from .plugin import Context, GuardrailRejected, Middleware, Plugin, PluginError
from .values import UNDEFINED, BigInt, Date, Failure, Map, RegExp, Set, ValueRefused, View
from .worker import serve

__all__ = [
    "UNDEFINED",
    "Actor",
    "ActorContext",
    "BigInt",
    "Context",
    "Date",
    "Failure",
    "GuardrailRejected",
    "Host",
    "HostScope",
    "Map",
    "Middleware",
    "Plugin",
    "PluginError",
    "RegExp",
    "Set",
    "ValueRefused",
    "View",
    "serve",
]
