"""Rankers that take part: journeymine, the habits people use, and those of others."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from journeymine.errors import OptionError, listed, shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from journeymine.fixes.fix import Fix

    Call = Callable[[pd.DataFrame, list[Fix], int], pd.DataFrame]

OWN: Final = ("journeymine", "journeymine_classes")
HABITS: Final = ("drops", "drivers", "odds_ratio", "funnel", "step_matrix", "removal", "markov")
BUILT_IN: Final[dict[str, str]] = {
    **{name: f"journeymine.bench.own:{name}" for name in OWN},
    **{name: f"journeymine.bench.habits.{name}:{name}" for name in HABITS},
}


@dataclass(frozen=True, slots=True)
class Ranker:
    """A ranker and what its numbers mean.

    Attributes
    ----------
    name
        Short name, or "module:function".
    call
        `(events, fixes, seed) -> frame` with one row for each fix.
    calibrated
        Whether its estimates are changes of the conversion share, rather than scores: only then bias is computed.
    intervals
        Whether its bounds are 95 % intervals: only then coverage is computed.
    """

    name: str
    call: Call
    calibrated: bool = True
    intervals: bool = True


def find_ranker(name: str) -> Ranker:
    """Load a ranker of ours by its name, or anybody's as "module:function".

    The function may carry `calibrated = False` (scores rather than effects) and `intervals = False`.

    Raises
    ------
    OptionError
        There is no such ranker, module or function.

    Examples
    --------
    >>> find_ranker("drops").calibrated
    False
    """
    if name not in BUILT_IN and ":" not in name:
        raise OptionError(
            f"{shown(name)} is no ranker.",
            found=listed(BUILT_IN),
            hint=suggestion(name, BUILT_IN, 'give your own as "module:function".'),
        )
    call = _imported(BUILT_IN.get(name, name))
    calibrated = bool(getattr(call, "calibrated", True))
    return Ranker(name, call, calibrated, calibrated and bool(getattr(call, "intervals", True)))


def _imported(where: str) -> Call:
    module, _, function = where.partition(":")
    # A console script does not look into the working folder, where people keep their module.
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found: Call = getattr(import_module(module), function)
    except ModuleNotFoundError as error:
        # A module that is there and lacks one of its own imports is another problem, and says so itself.
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise OptionError(f"there is no module {shown(module)}.", hint=_WHERE) from error
    except AttributeError as error:
        raise OptionError(
            f"module {shown(module)} has no function {shown(function)}.", hint=_WHERE
        ) from error
    if not callable(found):
        raise OptionError(f"{shown(where)} is {shown(found)}, expected a function.", hint=_WHERE)
    return found


_WHERE = 'write "module:function", with the module in the working folder or installed.'
