"""Tools and models of actors, called under the host's relay: its middleware is the host's, the function itself is here.

    c.tool ──TOOL──▶ host: guardrails, intercepts ──Invoke──▶ fn ──▶ host ──▶ c.tool
"""

import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping, Optional, Sequence, Tuple, Union

from .abort import Abort
from .host import HostLink, HostScope
from .lent import CallContext, Lent
from .limits import ACTOR_STREAMS
from .model_streams import ModelHere, ModelStream
from .plugin import PluginError

if TYPE_CHECKING:
    from .actor import ActorContext

# HostAsk.
TOOL, LLM, ABORT_CALL = 15, 16, 17

Function = Callable[[Any, CallContext], Any]
Parent = Union[str, HostScope, None]


class Calls:
    """Those of one running actor."""

    def __init__(self, context: "ActorContext", link: HostLink):
        self._context = context
        self._link = link
        #: Streams that are open, by their questions: each with the call that it ends with.
        self._streams: Dict[int, Tuple[int, ModelStream]] = {}
        self._lock = threading.Lock()

    def tool(
        self,
        name: str,
        args: Any,
        fn: Function,
        parent: Parent = None,
        abort: Optional[Abort] = None,
        tool_call_id: Optional[str] = None,
        metadata: Optional[Mapping[str, Any]] = None,
        attributes: Optional[Sequence[str]] = None,
    ) -> Any:
        asked = {"toolCallId": tool_call_id, "metadata": metadata, "attributes": attributes}
        return self._run(TOOL, {"name": name, "args": args, **self._placed(parent, asked)}, fn, abort)

    def llm(
        self,
        name: str,
        request: Mapping[str, Any],
        fn: Function,
        parent: Parent = None,
        abort: Optional[Abort] = None,
        model_name: Optional[str] = None,
        request_in_events: Optional[str] = None,
        metadata: Optional[Mapping[str, Any]] = None,
        attributes: Optional[Sequence[str]] = None,
    ) -> Any:
        asked = {"modelName": model_name, "requestInEvents": request_in_events}
        asked.update({"metadata": metadata, "attributes": attributes})
        return self._run(LLM, {"name": name, "request": request, **self._placed(parent, asked)}, fn, abort)

    def llm_stream(
        self,
        name: str,
        request: Mapping[str, Any],
        fn: Function,
        parent: Parent = None,
        abort: Optional[Abort] = None,
        model_name: Optional[str] = None,
        request_in_events: Optional[str] = None,
        metadata: Optional[Mapping[str, Any]] = None,
        attributes: Optional[Sequence[str]] = None,
    ) -> ModelStream:
        asked = {"modelName": model_name, "requestInEvents": request_in_events}
        asked.update({"metadata": metadata, "attributes": attributes})
        asked = {"name": name, "request": request, **self._placed(parent, asked)}
        model = ModelHere(_unless_given_up(fn, abort))
        stream = self._begin(Lent(self._link, model.run), model, asked)
        hears = partial(self._give_up, stream.question)
        if abort is not None:
            abort.listen(hears)
            stream.then(partial(abort.unlisten, hears))
        stream.opened()
        return stream

    def end(self, call: int) -> None:
        """The call is over, and so are the streams that it has left open."""
        with self._lock:
            left = [stream for opened_by, stream in self._streams.values() if opened_by == call]
        for stream in left:
            self._give_up(stream.question)
            stream.end()

    def end_all(self) -> None:
        """As `end`, of all calls."""
        with self._lock:
            calls = {opened_by for opened_by, _ in self._streams.values()}
        for call in calls:
            self.end(call)

    def _begin(self, lent: Lent, model: ModelHere, asked: Mapping[str, Any]) -> ModelStream:
        with self._lock:
            if len(self._streams) >= ACTOR_STREAMS:
                text = f"Too many model streams (limit {ACTOR_STREAMS}); try again later"
                raise PluginError("overloaded", text, "actor", {"limit": ACTOR_STREAMS})
            stream = ModelStream(lent, model, asked)
            self._streams[stream.question] = (self._context.call, stream)
        stream.then(lambda: self._over(stream.question))
        return stream

    def _over(self, question: int) -> None:
        with self._lock:
            del self._streams[question]

    def _give_up(self, question: int) -> None:
        self._link.tell(ABORT_CALL, {"call": question})

    def _run(self, ask: int, asked: Mapping[str, Any], fn: Function, abort: Optional[Abort]) -> Any:
        lent = Lent(self._link, _unless_given_up(fn, abort))
        call = lent.open(ask, asked)
        hears = partial(self._give_up, call)
        if abort is not None:
            abort.listen(hears)
        try:
            return lent.wait(call).get("result")
        finally:
            if abort is not None:
                abort.unlisten(hears)

    def _placed(self, parent: Parent, asked: Mapping[str, Any]) -> Dict[str, Any]:
        """What was said of a call, and where it belongs."""
        scope = self._context.scope if parent is None else parent
        if scope == "":
            name = self._context.name
            raise PluginError("no_relay", f'Actor "{name}" runs under no relay here: actions do, and messages', "actor")
        said = {key: value for key, value in asked.items() if value is not None}
        return {**said, "scope": scope.id if isinstance(scope, HostScope) else scope}



def _unless_given_up(fn: Function, abort: Optional[Abort]) -> Function:
    """It isn't called where its caller gave up before the host had heard of that."""

    def run(given: Any, context: CallContext) -> Any:
        if abort is not None and abort.is_set():
            raise PluginError("aborted", "Its caller has given it up", "relay")
        return fn(given, context)

    return run
