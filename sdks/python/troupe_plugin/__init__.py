"""Troupe plugins in Python: a worker process of middleware."""

from .plugin import Context, GuardrailRejected, Middleware, Plugin, PluginError
from .worker import serve

__all__ = ["Context", "GuardrailRejected", "Middleware", "Plugin", "PluginError", "serve"]
