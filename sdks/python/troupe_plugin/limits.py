"""Limits of the runtime's that a plugin keeps as well: those of `limits.ts`, by the same names."""

#: One frame between host and plugin, either way.
PLUGIN_FRAME_BYTES = 67_174_400
#: One message between a host and a worker.
WORKER_MESSAGE_BYTES = 67_239_936
#: A request's body that is read whole; a longer one is refused.
PLUGIN_REQUEST_BODY_BYTES = 8_388_608
#: Streams of models that one actor has open.
ACTOR_STREAMS = 128
