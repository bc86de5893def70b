"""The actor's own database: SQL, in CBOR whatever the session speaks."""

from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Union

from .cbor import decode_cbor, encode_cbor
from .voice import Voice
from .wire import data, number

# Fields of Ask and of Answer.
SQL, BEGIN, END = 5, 9, 10
SQL_ANSWER = 4

Params = Union[Sequence[Any], Mapping[str, Any]]


class Database:
    """Of an actor with `database=True`. Each statement waits for its answer; a wrong one is a PluginError of the group "sql"."""

    def __init__(self, voice: Voice):
        self._voice = voice
        #: Those that are open, the innermost last.
        self._transactions: List[int] = []

    def query(self, sql: str, params: Params = ()) -> Dict[str, Any]:
        """`{"columns", "rows", "changes", "lastInsertRowId"}`: rows are lists."""
        given = dict(params) if isinstance(params, Mapping) else list(params)
        asked = data(1, sql) + data(2, encode_cbor(given)) + number(3, self._innermost())
        return decode_cbor(self._voice.ask(data(SQL, asked))[SQL_ANSWER])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Committed at the end of the block; undone when it raises. One in another is a part of that."""
        name = self._voice.next_number()
        self._voice.ask(data(BEGIN, number(1, name) + number(2, self._innermost())))
        self._transactions.append(name)
        undo = 1
        try:
            yield
            undo = 0
        finally:
            self._transactions.remove(name)
            self._voice.ask(data(END, number(1, name) + number(2, undo)))

    def _innermost(self) -> int:
        return self._transactions[-1] if self._transactions else 0
