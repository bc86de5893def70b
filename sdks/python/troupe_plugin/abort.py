"""A flag that says that something is given up, which many may look at, wait for, or listen to."""

import threading
from typing import Callable, List


class Abort(threading.Event):
    """Set once, by any thread; it stays set."""

    def __init__(self) -> None:
        super().__init__()
        self._listeners: List[Callable[[], None]] = []
        self._listening = threading.Lock()

    def set(self) -> None:
        """Calls whoever listens, on this thread."""
        with self._listening:
            super().set()
            listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener()

    def listen(self, listener: Callable[[], None]) -> None:
        """It is called once: when the flag is set, or now, where it is."""
        with self._listening:
            if not self.is_set():
                self._listeners.append(listener)
                return
        listener()

    def unlisten(self, listener: Callable[[], None]) -> None:
        """It isn't called any more. One that doesn't listen is no error."""
        with self._listening:
            if listener in self._listeners:
                self._listeners.remove(listener)
