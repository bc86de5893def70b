"""A worker's main function: gRPC over the socket that the host left, one stream, many frames in a message."""

import os
import queue
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .json_values import checked_size
from .limits import PLUGIN_FRAME_BYTES, WORKER_MESSAGE_BYTES
from .plugin import Plugin
from .session import Session
from .wire import data, fields

METHOD = "/troupe.plugin.v1.WorkerHost/Attach"
#: So many bytes of frames leave in one message, unless one frame is longer.
BATCH = 256 * 1024
#: Calls of middleware that run at once. A thread is made when no other is free; one that has `next` may wait for others.
MIDDLEWARE_THREADS = 4_096


def _grpc() -> Any:
    try:
        import grpc
    except ModuleNotFoundError as missing:
        # It's the host's own words that an operator reads first: what to do, and with which Python.
        where = f"{sys.executable} has no module {missing.name}"
        todo = "install what requirements.txt lists, and let TROUPE_PYTHON name the Python that has it"
        raise SystemExit(f"{where}: {todo}") from missing
    return grpc


def serve(plugin: Plugin, threads: int = 16) -> None:
    """Serves a plugin to the host that started this process, until the host ends."""
    socket, token = _handover()
    _leave_signals_to_host()
    grpc = _grpc()
    frames: "queue.Queue[bytes]" = queue.Queue()
    names = ("grpc.max_receive_message_length", "grpc.max_send_message_length")
    options = [(name, WORKER_MESSAGE_BYTES) for name in names]
    # Actions may wait for a tool that the plugin's own middleware is asked about: it has threads of its own, as many as are asked for.
    with ThreadPoolExecutor(threads) as pool, ThreadPoolExecutor(
        MIDDLEWARE_THREADS
    ) as around, grpc.insecure_channel(f"unix:{socket}", options=options) as channel:
        session = Session(plugin, lambda frame: frames.put(checked_size(frame, PLUGIN_FRAME_BYTES)), pool, around)
        attach = channel.stream_stream(METHOD, request_serializer=_same, response_deserializer=_same)
        try:
            for batch in attach(_batches(frames), metadata=(("troupe-token", token),)):
                for _field, frame in fields(batch):
                    session.heard(frame)
        except grpc.RpcError as error:
            if error.code() not in (grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE):
                print(f"{plugin.name}: {error.details()}", file=sys.stderr)
                os._exit(1)
    # The host is gone: nobody waits for calls that still run.
    os._exit(0)


def _leave_signals_to_host() -> None:
    """Ctrl-C is for all processes of a terminal, and a service's SIGTERM for all of its own: the host hears it too, and lets end what runs."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Not SIG_IGN, which what the plugin starts would inherit.
            signal.signal(number, lambda *_: None)


def _same(message: bytes) -> bytes:
    return message


def _batches(frames: "queue.Queue[bytes]"):
    """What is ready at once is one message, as far as it fits."""
    behind = None
    while True:
        batch = data(1, frames.get() if behind is None else behind)
        behind = None
        while behind is None and not frames.empty():
            frame = frames.get()
            if len(batch) + len(frame) <= BATCH:
                batch += data(1, frame)
            else:
                behind = frame
        yield batch


def _handover():
    """The address and the token. They are taken out of the environment: what the plugin starts isn't to know them."""
    socket = os.environ.pop("TROUPE_WORKER_SOCKET", None)
    descriptor = os.environ.pop("TROUPE_WORKER_TOKEN_FD", None)
    if socket is None or descriptor is None:
        sys.exit("This program is a plugin: a host starts it by its manifest, and says where it listens")
    pipe = os.fdopen(int(descriptor), "rb", buffering=0)
    token = b""
    while not token.endswith(b"\n"):
        byte = pipe.read(1)
        if not byte:
            sys.exit("the host is gone")
        token += byte
    threading.Thread(target=_end_with, args=(pipe,), daemon=True).start()
    return socket, token.decode().strip()


def _end_with(pipe) -> None:
    """The descriptor's end is the host's."""
    while pipe.read(1):
        pass
    os._exit(0)
