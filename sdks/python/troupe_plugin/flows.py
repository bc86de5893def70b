"""Results that come in items: an action gives an iterator, and each item is made when its reader has room for it.

An item is made on its actor's lane, between other functions of the actor: a slow reader holds nobody up.
"""

import threading
from contextlib import suppress
from typing import Any, Callable, Dict, Iterator

from .json_values import encode_json
from .voice import Voice
from .wire import data, number

# Fields of FromActor.
STREAM_START, STREAM_ITEM = 25, 26


class Flows:
    """Those of one actor. `credit` and `cancel` are called by the thread that hears the host, the rest on the actor's lane."""

    def __init__(self, voice: Voice, later: Callable[[Callable[[], None]], None]):
        self._voice = voice
        self._later = later
        self._open: Dict[int, "_Flow"] = {}
        self._lock = threading.Lock()

    def begin(self, call: int, items: Iterator[Any], step: Callable[[Callable[[], bool]], None]) -> None:
        """`step` runs the making of one item as a part of its call; what is run says whether there was one."""
        with self._lock:
            self._open[call] = _Flow(items, step)
        self._voice.say_later(data(STREAM_START, number(1, call)))

    def credit(self, call: int, items: int) -> None:
        with self._lock:
            flow = self._open.get(call)
            if flow is None:
                return
            flow.credits += items
            if flow.waits:
                return
            flow.waits = True
        self._later(lambda: self._run(call))

    def cancel(self, call: int) -> bool:
        """Nobody takes more. False: it isn't one of them."""
        with self._lock:
            flow = self._open.pop(call, None)
        if flow is not None:
            self._later(flow.close)
        return flow is not None

    def end_all(self) -> None:
        with self._lock:
            flows = list(self._open.values())
            self._open.clear()
        for flow in flows:
            flow.close()

    def _run(self, call: int) -> None:
        with self._lock:
            flow = self._open.get(call)
        if flow is None:
            return
        flow.step(lambda: self._item(call, flow))
        with self._lock:
            flow.credits -= 1
            flow.waits = flow.credits > 0 and call in self._open
        if flow.waits:
            self._later(lambda: self._run(call))

    def _item(self, call: int, flow: "_Flow") -> bool:
        """False: it was the last one before. Raises what the iterator does."""
        try:
            item = encode_json(next(flow.items))
        except BaseException as error:
            with self._lock:
                self._open.pop(call, None)
            if isinstance(error, StopIteration):
                return False
            flow.close()
            raise
        self._voice.say_later(data(STREAM_ITEM, number(1, call) + data(2, item)))
        return True


class _Flow:
    def __init__(self, items: Iterator[Any], step: Callable[[Callable[[], bool]], None]):
        self.items = items
        self.step = step
        self.credits = 0
        #: One item of it is on the lane.
        self.waits = False

    def close(self) -> None:
        # Nobody hears what a generator says that is given up, and its actor works on.
        with suppress(BaseException):
            if hasattr(self.items, "close"):
                self.items.close()
