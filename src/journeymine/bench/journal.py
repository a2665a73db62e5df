"""The journal of a run: one line of JSON for each log and ranker, so that a killed run goes on where it was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from journeymine.bench.logs import LogKey
from journeymine.errors import OutputError, shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    Line = dict[str, Any]

NAME: Final = "results.jsonl"
SAME: Final = ("version", "n_draws")


class Journal:
    """What is finished in an output folder.

    Parameters
    ----------
    folder
        Output folder; made if it is not there.
    same
        Version and number of draws: results of others are not mixed with these.

    Raises
    ------
    OutputError
        The folder holds results of another version or number of draws, or cannot be written.
    """

    def __init__(self, folder: Path, same: dict[str, Any]) -> None:
        self.path, self._same = folder / NAME, same
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot write into {str(folder)!r}: {error.strerror or error}.") from error
        self._lines = {key_of(line): line for line in self._read()}

    def _read(self) -> list[Line]:
        if not self.path.exists():
            return []
        text = self.path.read_text(encoding="utf-8")
        if text and not text.endswith("\n"):
            # The run was killed while it wrote: what is left of the line must not swallow the next one.
            text = text[: text.rfind("\n") + 1]
            self.path.write_text(text, encoding="utf-8")
        lines = [json.loads(row) for row in text.splitlines()]
        for line in lines:
            other = {name: line.get(name) for name in SAME if line.get(name) != self._same[name]}
            if other:
                raise OutputError(
                    f"{str(self.path)!r} holds results of {shown(other)}, this run has {shown(self._same)}.",
                    hint="choose another folder with --out.",
                )
        return lines

    def add(self, lines: Iterable[Line]) -> None:
        """Write finished lines, at once."""
        with self.path.open("a", encoding="utf-8", newline="\n") as file:
            for line in lines:
                whole = {**self._same, **line}
                self._lines[key_of(whole)] = whole
                file.write(json.dumps(whole, sort_keys=True, allow_nan=False) + "\n")

    def missing(self, log: LogKey, rankers: Iterable[str]) -> list[str]:
        """Rankers that have not answered on a log; those that failed are asked again."""
        return [name for name in rankers if "error" in self._lines.get((log, name), {"error": "not yet"})]

    def lines(self, logs: Iterable[LogKey], rankers: Iterable[str]) -> list[Line]:
        """Finished lines of these logs and rankers, in this order whatever the order in which they came."""
        names = list(rankers)
        found = (self._lines.get((log, name)) for log in logs for name in names)
        return [line for line in found if line is not None]

    def everything(self) -> list[Line]:
        """All lines of the folder, by size, seed, world and ranker."""
        return [self._lines[key] for key in sorted(self._lines, key=_place)]


def _place(key: tuple[LogKey, str]) -> tuple[object, ...]:
    from journeymine.bench.rankers import BUILT_IN
    from journeymine.simulate.worlds import SCENARIOS, SHAPES

    log, ranker = key
    names = tuple(BUILT_IN)
    place = names.index(ranker) if ranker in names else len(names)
    return log.n, log.seed, SCENARIOS.index(log.scenario), SHAPES.index(log.shape), place, ranker


def key_of(line: Line) -> tuple[LogKey, str]:
    """Log and ranker of a line."""
    return LogKey(line["shape"], line["scenario"], line["n"], line["seed"]), line["ranker"]
