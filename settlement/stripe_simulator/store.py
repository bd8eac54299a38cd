"""All that the simulator knows: objects by kind and id, changed one unit of work at a time.

A unit of work either takes effect whole or leaves no trace. Its changes are one record of the
journal, written before they are seen, so that a process that is killed at any point comes back
with a state that some answer had.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, Protocol

Json = dict[str, Any]

# In all kinds together: a year of a large house, and about 4 GB.
MAX_OBJECTS: Final = 2_000_000


class Full(Exception):
    """The simulator holds as many objects as it may; start it with a fresh folder."""


class Keeps(Protocol):
    """Where records go."""

    def append(self, record: Json) -> None:
        """Returns when the record survives the process."""


class Store:
    """Objects by kind, in the order in which they were made."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Json]] = {}
        self._journal: Keeps | None = None
        self._size = 0

    def keep_in(self, journal: Keeps) -> None:
        """Write changes there from now on."""
        self._journal = journal

    def find(self, kind: str, object_id: str) -> Json | None:
        """The object itself; not to be changed."""
        return self._kinds.get(kind, {}).get(object_id)

    def newest_first(self, kind: str) -> Iterator[Json]:
        """All of a kind."""
        return reversed(self._kinds.get(kind, {}).values())

    def oldest_first(self, kind: str) -> Iterator[Json]:
        """All of a kind."""
        return iter(self._kinds.get(kind, {}).values())

    def count(self, kind: str) -> int:
        """How many there are of a kind."""
        return len(self._kinds.get(kind, {}))

    def commit(self, put: Iterable[tuple[str, str, Json]], gone: Iterable[tuple[str, str]]) -> None:
        """Take over the changes, after they are kept."""
        put, gone = list(put), list(gone)
        if self._size + len(put) - len(gone) > MAX_OBJECTS:
            raise Full(Full.__doc__)
        if self._journal is not None and (put or gone):
            self._journal.append({"put": put, "gone": gone})
        self.apply(put, gone)

    def apply(self, put: Iterable[tuple[str, str, Json]], gone: Iterable[tuple[str, str]]) -> None:
        """Take over changes that are kept already."""
        for kind, object_id, row in put:
            rows = self._kinds.setdefault(kind, {})
            self._size += object_id not in rows
            rows[object_id] = row
        for kind, object_id in gone:
            self._size -= self._kinds[kind].pop(object_id, None) is not None

    def records(self) -> Iterator[Json]:
        """The whole state as records, for a journal without history."""
        for kind, rows in self._kinds.items():
            for object_id, row in rows.items():
                yield {"put": [(kind, object_id, row)], "gone": []}


class Changes:
    """Changes on top of a store that nobody sees before they are committed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._put: dict[tuple[str, str], Json] = {}
        self._gone: dict[tuple[str, str], None] = {}

    def find(self, kind: str, object_id: str) -> Json | None:
        """The object as this unit of work sees it; to read only."""
        if (kind, object_id) in self._gone:
            return None
        return self._put.get((kind, object_id)) or self._store.find(kind, object_id)

    def edit(self, kind: str, object_id: str) -> Json:
        """The object, whose changes are kept."""
        if (mine := self._put.get((kind, object_id))) is not None:
            return mine
        found = self.find(kind, object_id)
        assert found is not None, f"{kind} {object_id} was found before it is edited"
        self._put[kind, object_id] = mine = copied(found)
        return mine

    def put(self, kind: str, object_id: str, row: Json) -> Json:
        """A new object, which may be changed further."""
        self._gone.pop((kind, object_id), None)
        self._put[kind, object_id] = row
        return row

    def remove(self, kind: str, object_id: str) -> None:
        """The object is gone."""
        self._put.pop((kind, object_id), None)
        if self._store.find(kind, object_id) is not None:
            self._gone[kind, object_id] = None

    def newest_first(self, kind: str) -> Iterator[Json]:
        """All of a kind as this unit of work sees them."""
        mine = [key for key in self._put if key[0] == kind]
        for key in reversed(mine):
            if self._store.find(*key) is None:
                yield self._put[key]
        for row in self._store.newest_first(kind):
            key = (kind, row["id"])
            if key not in self._gone:
                yield self._put.get(key, row)

    def commit(self) -> None:
        """All of it, at once."""
        put = [(kind, object_id, row) for (kind, object_id), row in self._put.items()]
        self._store.commit(put, self._gone)


def copied(row: Json) -> Json:
    """A copy that shares nothing that can change."""
    return {name: _copied(value) for name, value in row.items()}


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value


def public(value: Any) -> Any:
    """As the world sees it: without members whose names begin with an underscore."""
    if isinstance(value, dict):
        return {name: public(item) for name, item in value.items() if name[:1] != "_"}
    if isinstance(value, list):
        return [public(item) for item in value]
    return value
