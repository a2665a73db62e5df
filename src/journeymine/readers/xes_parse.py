"""A streaming parser for XES on the standard library's expat; it refuses entities, so nothing can be smuggled in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from journeymine.errors import DataError, shown
from journeymine.readers.sources import blocks, open_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Batch = list[list[str | None]]

BATCH_EVENTS = 50_000
CASE = "case:"
CASE_ID = (CASE, "concept:name")
VALUE_TAGS = frozenset({"string", "date", "int", "float", "boolean", "id"})
_TRUNCATED = frozenset({"no element found", "unclosed token", "unclosed CDATA section", "partial character"})


class Parser:
    """Collects events of any number of XES files and hands them on in batches.

    Attributes
    ----------
    columns
        (scope, key) of each column, in order of appearance; the scope of a case attribute is "case:".
    kinds
        XES types seen in each column.
    """

    def __init__(self, emit: Callable[[Batch], None]) -> None:
        self._emit = emit
        self.columns: dict[tuple[str, str], int] = {CASE_ID: 0}
        self.kinds: list[set[str]] = [{"string"}]
        self.n_traces = self.n_unnamed = self.n_empty = self.n_lists = self.n_nested = self.n_repeated = 0
        self._rows: list[dict[int, str | None]] = []
        self._start_file()

    def _start_file(self) -> None:
        self._depth = 0
        self._inner_depth = 0
        self._trace: dict[int, str | None] | None = None
        self._event: dict[int, str | None] | None = None
        self._events: list[dict[int, str | None]] = []
        self.is_log = False

    def parse(self, path: Path) -> None:
        """Read one file to its end."""
        self._start_file()
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.EntityDeclHandler = _refuse_entity
        parser.ExternalEntityRefHandler = _refuse_entity
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        with open_bytes(path) as stream:
            for block in blocks(stream, path):
                parser.Parse(block, False)
            parser.Parse(b"", True)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        tag = tag.rpartition(":")[2]
        if self._event is not None:
            if self._depth == self._inner_depth + 1:
                self._add(self._event, "", tag, attributes)
            else:
                self.n_nested += 1
        elif tag == "event" and self._depth in {2, 3}:
            self._event, self._inner_depth = {}, self._depth
        elif self._trace is not None:
            if self._depth == 3:
                self._add(self._trace, CASE, tag, attributes)
            else:
                self.n_nested += 1
        elif tag == "trace" and self._depth == 2:
            self._trace, self._events = {}, []
        elif self._depth == 1:
            if tag != "log":
                raise _NotALog(tag)
            self.is_log = True

    def _end(self, tag: str) -> None:
        del tag
        if self._event is not None and self._depth == self._inner_depth:
            (self._rows if self._trace is None else self._events).append(self._event)
            self._event = None
        elif self._trace is not None and self._depth == 2:
            self._end_trace(self._trace)
        self._depth -= 1

    def _end_trace(self, trace: dict[int, str | None]) -> None:
        self.n_traces += 1
        if trace.get(0) is None:
            self.n_unnamed += 1
            trace[0] = f"trace {self.n_traces}"
        if not self._events:
            self.n_empty += 1
        for event in self._events:
            event.update(trace)
        self._rows += self._events
        self._trace = None
        if len(self._rows) >= BATCH_EVENTS:
            self.flush()

    def _add(self, target: dict[int, str | None], scope: str, tag: str, attributes: dict[str, str]) -> None:
        key = attributes.get("key")
        if tag not in VALUE_TAGS or key is None:
            self.n_lists += 1
            return
        place = self.columns.get((scope, key))
        if place is None:
            place = self.columns[scope, key] = len(self.columns)
            self.kinds.append(set())
        if place in target:
            self.n_repeated += 1
            return
        self.kinds[place].add(tag)
        target[place] = attributes.get("value")

    def flush(self) -> None:
        """Hand on what is left."""
        if self._rows:
            rows, self._rows = self._rows, []
            self._emit([[row.get(place) for row in rows] for place in range(len(self.columns))])

    def notes(self) -> dict[str, str]:
        """What a reader should know about what was and was not taken over."""
        counted = {
            "traces_without_name": (
                self.n_unnamed,
                "traces have no concept:name and are called 'trace 1', 'trace 2', …",
            ),
            "traces_without_events": (self.n_empty, "traces hold no event and give no row"),
            "lists_ignored": (
                self.n_lists,
                "lists, containers or attributes without key were not taken over",
            ),
            "nested_ignored": (self.n_nested, "attributes of attributes were not taken over"),
            "repeated_keys": (
                self.n_repeated,
                "attributes repeat a key of the same event or case; the first one counts",
            ),
        }
        return {key: f"{n:,} {text}" for key, (n, text) in counted.items() if n}


class _NotALog(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        self.tag = tag


class _Entity(Exception):  # noqa: N818 - never leaves this module
    pass


def _refuse_entity(*arguments: Any) -> int:
    raise _Entity(arguments[0])


def parse_file(parser: Parser, path: Path) -> None:
    """Parse one file; whatever is wrong with it is said in words."""
    try:
        parser.parse(path)
    except _Entity as error:
        raise DataError(
            f"{shown(path.name)} declares XML entities, which an event log does not need.",
            hint="remove the DOCTYPE from the file; entities are refused because they can be used for attacks.",
        ) from error
    except _NotALog as error:
        raise DataError(
            f"{shown(path.name)} is not an event log.",
            found=f"XML with the root element <{error.tag[:80]}>.",
            hint="expected XES, whose root element is <log>.",
        ) from error
    except expat.ExpatError as error:
        raise _broken(parser, path, error) from error


def _broken(parser: Parser, path: Path, error: expat.ExpatError) -> DataError:
    what = expat.ErrorString(error.code)
    place = f"{what}, line {error.lineno:,}"
    if not parser.is_log:
        return DataError(
            f"{shown(path.name)} is not an event log.",
            found=f"no readable XML ({place}).",
            hint="expected XES.",
        )
    if what in _TRUNCATED:
        return DataError(
            f"{shown(path.name)} is truncated: the XML ends too early ({place}).", hint="get the file again."
        )
    return DataError(f"{shown(path.name)} is damaged XML ({place}).", hint="export the log again.")
