"""A chain in a folder: `chain.json` with its settings, and its counts as Parquet; reading it gives the same numbers.

The folder holds counts by unit, no names of customers. `transitions.parquet` is for other programs: the matrix, one
row an edge.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.counts.chain import ChainCounts
from journeymine.counts.memory import Memory
from journeymine.counts.occupation import OccupationCounts
from journeymine.counts.periods import PeriodCounts
from journeymine.counts.sequences import SequenceCounts
from journeymine.counts.visit_waits import VisitWaits
from journeymine.errors import NotEnoughDataError, OutputError, SourceError, shown
from journeymine.markov.analytics import GoalValue
from journeymine.markov.fit import fit_chain
from journeymine.markov.priors import Prior

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from journeymine.markov.chain import MarkovChain

FORMAT = 1
SETTINGS, TABLE = "chain.json", "transitions.parquet"
KINDS: dict[str, type] = {
    "moves": ChainCounts,
    "plain": ChainCounts,
    "sequences": SequenceCounts,
    "periods": PeriodCounts,
    "waits": VisitWaits,
    "occupation": OccupationCounts,
    "value": GoalValue,
}


class StoredData:
    """Counts read from a folder (`markov.data.ChainData`)."""

    def __init__(self, counts: dict[str, Any], settings: dict[str, Any]) -> None:
        self.plain: ChainCounts = counts["plain"]
        self.sequences: SequenceCounts = counts["sequences"]
        self.periods: PeriodCounts | None = counts.get("periods")
        self.waits: VisitWaits | None = counts.get("waits")
        self.stored_occupation: OccupationCounts | None = counts.get("occupation")
        self.segments: tuple[str, ...] = tuple(settings["segments"])
        self.goal: tuple[str, ...] = tuple(settings["goal"])
        self.others: tuple[str, ...] = tuple(settings["others"])
        self.has_goal = bool(self.goal)
        self.timed: bool = settings["timed"]

    def remembered(self, memory: Memory) -> ChainCounts:
        """The chain whose states remember, from the stored journeys; these have no waits."""
        from journeymine.markov.memory.memory import sequence_memory

        return sequence_memory(self.sequences, memory)

    def occupation(self, times_us: Sequence[int] | None) -> OccupationCounts:
        """Where journeys are over time, at the points that were stored."""
        if self.stored_occupation is None:
            raise NotEnoughDataError("the stored chain has no times.", hint="fit it from a log with times.")
        if times_us is not None:
            hint = "call occupation() without times, or fit the chain from the log."
            raise NotEnoughDataError("the stored chain knows its own points of time only.", hint=hint)
        return self.stored_occupation


def save_chain(chain: MarkovChain, folder: str | os.PathLike[str]) -> None:
    """Write a chain into a new or empty folder, or over a chain that is there.

    Raises
    ------
    OutputError
        The folder holds something else, or cannot be written.
    """
    import pyarrow.parquet as pq

    place = Path(folder)
    if place.exists() and (not place.is_dir() or (any(place.iterdir()) and not (place / SETTINGS).is_file())):
        raise OutputError(
            f"{shown(str(place))} holds something else than a chain.", hint="name a new folder."
        )
    counts = _counts(chain)
    settings = _settings(chain) | {"counts": {stem: _texts(found) for stem, found in counts.items()}}
    try:
        place.mkdir(parents=True, exist_ok=True)
        # The settings come last: a folder without them is no chain.
        (place / SETTINGS).unlink(missing_ok=True)
        for stem, found in counts.items():
            pq.write_table(_arrays(found), place / f"{stem}.parquet", compression="zstd")
        chain.to_frame().to_parquet(place / TABLE, index=False)
        text = json.dumps(settings, indent=1, ensure_ascii=False, sort_keys=True)
        (place / SETTINGS).write_text(text + "\n", encoding="utf-8", errors="surrogatepass")
    except OSError as error:
        raise OutputError(f"{shown(str(place))} cannot be written: {error}.") from error


def load_chain(folder: str | os.PathLike[str]) -> MarkovChain:
    """Read a chain from a folder.

    Raises
    ------
    SourceError
        There is no chain in it, or not one that this version can read.
    """
    place = Path(folder)
    try:
        settings = json.loads((place / SETTINGS).read_text(encoding="utf-8", errors="surrogatepass"))
    except FileNotFoundError:
        hint = "name a folder that chain.save() has written."
        raise SourceError(f"{shown(str(place))} holds no chain: {SETTINGS} is missing.", hint=hint) from None
    except (OSError, ValueError) as error:
        raise SourceError(f"{shown(str(place / SETTINGS))} cannot be read: {error}.") from error
    if not isinstance(settings, dict) or settings.get("format") != FORMAT:
        found = settings.get("format") if isinstance(settings, dict) else settings
        problem = f"{shown(str(place))} has format {shown(found)}, expected {FORMAT}."
        raise SourceError(problem, hint="save the chain again with this version.")
    try:
        counts = {stem: _read(place, stem, texts) for stem, texts in settings["counts"].items()}
        return _chain(settings, counts)
    except (OSError, KeyError, TypeError) as error:
        raise SourceError(
            f"{shown(str(place))} is not whole: {error}.", hint="save the chain again."
        ) from error


def _counts(chain: MarkovChain) -> dict[str, Any]:
    data = chain.data
    found: dict[str, Any] = {
        "moves": chain.counts,
        "plain": data.plain,
        "sequences": data.sequences,
        "periods": data.periods,
        "waits": data.waits,
        "occupation": data.occupation(None) if data.timed else None,
        "value": chain.value if isinstance(chain.value, GoalValue) else None,
    }
    return {stem: counts for stem, counts in found.items() if counts is not None}


def _settings(chain: MarkovChain) -> dict[str, Any]:
    from journeymine import __version__

    return {
        "format": FORMAT,
        "package_version": __version__,
        "memory": dataclasses.asdict(chain.memory),
        "prior": dataclasses.asdict(chain.model.prior),
        "pool_rows": chain.model.pool_rows,
        "value": None if isinstance(chain.value, GoalValue) else chain.value,
        "n_draws": chain.n_draws,
        "seed": chain.seed,
        "timed": chain.timed,
        "goal": list(chain.data.goal),
        "others": list(chain.data.others),
        "segments": list(chain.data.segments),
    }


def _chain(settings: dict[str, Any], counts: dict[str, Any]) -> MarkovChain:
    memory, prior = settings["memory"], settings["prior"]
    allowed: Any = prior["allowed"]
    contexts = memory["contexts"]
    kept: Any = allowed if isinstance(allowed, str) else tuple((a, b) for a, b in allowed)
    return fit_chain(
        counts["moves"],
        memory=Memory(
            memory["order"],
            memory["attempts"],
            None if contexts is None else tuple(tuple(context) for context in contexts),
            tuple(memory["elapsed_us"]),
        ),
        prior=Prior(
            prior["weight"],
            kept,
            tuple((a, b) for a, b in prior["forbidden"]),
        ),
        pool_rows=settings["pool_rows"],
        value=counts.get("value", settings["value"]),
        n_draws=settings["n_draws"],
        seed=settings["seed"],
        timed=settings["timed"],
        has_goal=bool(settings["goal"]),
        source=StoredData(counts, settings),
    )


def _texts(counts: Any) -> dict[str, Any]:
    """The fields that are no arrays: names, numbers and flags."""
    values = {field.name: getattr(counts, field.name) for field in dataclasses.fields(counts)}
    return {name: value for name, value in values.items() if not isinstance(value, np.ndarray)}


def _arrays(counts: Any) -> Any:
    """The fields that are arrays: one row, a list a field."""
    import pyarrow as pa

    values = {field.name: getattr(counts, field.name) for field in dataclasses.fields(counts)}
    return pa.table({name: pa.array([v]) for name, v in values.items() if isinstance(v, np.ndarray)})


def _read(place: Path, stem: str, texts: dict[str, Any]) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(place / f"{stem}.parquet")
    except pa.ArrowInvalid as error:
        raise OSError(str(error)) from error
    arrays = {name: table.column(name).combine_chunks().flatten().to_numpy() for name in table.column_names}
    return KINDS[stem](**arrays, **{name: _tuples(value) for name, value in texts.items()})


def _tuples(value: Any) -> Any:
    """Lists of JSON as the tuples that they were."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
