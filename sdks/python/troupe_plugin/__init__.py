"""Troupe plugins in Python: a worker process of actors and middleware."""

from .actor import Actor, ActorContext
from .plugin import Context, GuardrailRejected, Middleware, Plugin, PluginError
from .worker import serve

__all__ = ["Actor", "ActorContext", "Context", "GuardrailRejected", "Middleware", "Plugin", "PluginError", "serve"]
