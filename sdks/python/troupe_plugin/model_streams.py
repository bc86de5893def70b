"""Streams of models that actors read under their host's relay, at the plugin's end: the chunks, and the model itself.

    next() ──READ_STREAM──▶ host: intercepts ──Invoke──▶ next() of the model
"""

import threading
from collections.abc import Iterable
from contextlib import contextmanager, suppress
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple

from .abort import Abort
from .lent import CallContext, Lent

# HostAsk.
LLM_STREAM, READ_STREAM = 18, 19


class ModelStream:
    """The chunks of one call of a model: an iterator. Nothing is read ahead.

    Leave it with `close`, or by its `with` block: the model is told then. One that is left open ends with the call of its actor, and
    whoever reads on is told `relay.aborted`.
    """

    def __init__(self, lent: Lent, model: "ModelHere", asked: Mapping[str, Any]):
        self._lent = lent
        self._model = model
        #: Held by the thread that reads.
        self._reading = threading.Lock()
        self._over = False
        self._failure: Optional[BaseException] = None
        self._then: List[Callable[[], None]] = []
        #: Its number, by which it is given up.
        self.question = lent.open(LLM_STREAM, asked)

    def then(self, run: Callable[[], None]) -> None:
        """Called when it is over, in whatever way. Before `opened`."""
        self._then.append(run)

    def opened(self) -> None:
        """Waits until it is. Raises why it couldn't be."""
        with self._alone():
            self._read("opened")
            if self._over:
                self._raise()

    def __iter__(self) -> "ModelStream":
        return self

    def __next__(self) -> Any:
        with self._alone():
            if not self._over:
                said = self._read("next")
                if not self._over:
                    return said.get("value")
            self._raise()
            raise StopIteration

    def close(self) -> None:
        """Nobody reads on. Returns when the model has been told."""
        with self._alone():
            if not self._over:
                self._read("close")
                self._failure = None

    def __enter__(self) -> "ModelStream":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def end(self) -> None:
        """It was given up. Waits until that is done, unless a thread reads, which does so itself. Raises nothing."""
        if self._reading.acquire(blocking=False):
            try:
                if not self._over:
                    self._finish()
            finally:
                self._reading.release()

    def _read(self, act: str) -> Any:
        """Of one that is over then, `_failure` is what ended it, if anything did."""
        failure, said = None, None
        try:
            said = self._lent.wait(self._lent.open(READ_STREAM, {"call": self.question, "act": act}, lends=False))
        except BaseException as error:  # noqa: BLE001 - it is kept for whoever reads
            failure = error
        if failure is not None or act == "close" or (said is not None and said["done"]):
            self._finish()
        if failure is not None:
            self._failure = failure
        return said

    def _finish(self) -> None:
        """Serves the model until the host has done with it."""
        self._over = True
        try:
            self._lent.wait(self.question)
        except BaseException as error:  # noqa: BLE001 - as above
            self._failure = error
        self._model.end()
        for then in self._then:
            then()

    def _raise(self) -> None:
        """What ended it is said once."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._reading.acquire(blocking=False):
            raise RuntimeError("the stream is being read already")
        try:
            yield
        finally:
            self._reading.release()


class ModelHere:
    """The model, as the host calls it: opened as often as intercepts say, each time by another number."""

    def __init__(self, fn: Callable[[Any, CallContext], Any]):
        self._fn = fn
        self._open: Dict[int, Tuple[Abort, Iterator[Any]]] = {}

    def run(self, asked: Mapping[str, Any], context: CallContext) -> Any:
        act, stream = asked["act"], asked["stream"]
        if act == "open":
            return self._opened(stream, asked.get("request"), context)
        if act == "next":
            return self._next(stream, context)
        self._close(stream)
        return None

    def end(self) -> None:
        """Whatever an intercept has left open."""
        for stream in list(self._open):
            self._close(stream)

    def _opened(self, stream: int, request: Any, context: CallContext) -> bool:
        # It outlives the call that opens it.
        abort = Abort()
        context.abort.listen(abort.set)
        chunks = self._fn(request, CallContext(abort, context.scope))
        if not isinstance(chunks, Iterable) or isinstance(chunks, (str, bytes, Mapping)):
            return False
        self._open[stream] = (abort, iter(chunks))
        return True

    def _next(self, stream: int, context: CallContext) -> Mapping[str, Any]:
        if stream not in self._open:
            return {"done": True}
        abort, chunks = self._open[stream]
        context.abort.listen(abort.set)
        try:
            return {"done": False, "value": next(chunks)}
        except BaseException as error:
            self._open.pop(stream, None)
            if isinstance(error, StopIteration):
                return {"done": True}
            raise

    def _close(self, stream: int) -> None:
        abort, chunks = self._open.pop(stream, (None, None))
        if abort is not None:
            abort.set()
        # Nobody hears what a model says that is given up.
        with suppress(BaseException):
            if hasattr(chunks, "close"):
                chunks.close()
