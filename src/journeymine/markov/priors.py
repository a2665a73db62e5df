"""What is assumed about rows before the counts: pseudo-counts, and edges that can or cannot occur."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from journeymine._checks import check_choice
from journeymine.errors import OptionError, listed, shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts

    Ints = NDArray[np.int64]

GOAL_COLUMN, DROP_COLUMN = "(goal)", "(dropped)"


@dataclass(frozen=True, slots=True)
class Prior:
    """What is assumed about rows before the counts.

    Attributes
    ----------
    weight
        Dirichlet pseudo-count of each allowed edge; 0 is maximum likelihood, 1/2 is Jeffreys' prior.
    allowed
        Edges that may occur: those seen anywhere in the log ("seen"), all ("all"), or pairs (source, target) besides
        those seen. Without a pseudo-count it makes no difference.
    forbidden
        Structural zeros: pairs (source, target) that cannot occur.
    """

    weight: float = 0.0
    allowed: Literal["seen", "all"] | tuple[tuple[str, str], ...] = "seen"
    forbidden: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.weight, bool) or not (np.isreal(self.weight) and 0 <= self.weight < np.inf):
            hint = "0 is maximum likelihood, 0.5 is Jeffreys' prior."
            raise OptionError(f"prior is {shown(self.weight)}, expected a number from 0.", hint=hint)
        if isinstance(self.allowed, str):
            check_choice("allowed", self.allowed, Literal["seen", "all"])


MAXIMUM_LIKELIHOOD = Prior()


def allowed_edges(counts: ChainCounts, prior: Prior, *, pool_rows: bool) -> Ints:
    """Edges that may have a positive probability, as source * (k + 2) + column, sorted."""
    seen, k = counts.edges(), counts.n_states
    width = k + 2
    if pool_rows:
        seen = (np.arange(k)[:, None] * width + np.unique(seen % width)).ravel()
    forbidden = _pairs(counts, prior.forbidden, "forbidden")
    occurring = np.intersect1d(counts.edges(), forbidden)
    if len(occurring):
        names = (*counts.states, GOAL_COLUMN, DROP_COLUMN)
        source, target = divmod(int(occurring[0]), width)
        n = int(counts.n[counts.source * width + counts.column(counts.target) == occurring[0]].sum())
        problem = f"forbidden holds {shown(names[source])} to {shown(names[target])}, which occurs."
        raise OptionError(problem, found=f"{n:,} such moves.", hint="take the pair out of forbidden.")
    if isinstance(prior.allowed, str):
        more = np.arange(k * width) if prior.allowed == "all" else seen
    else:
        more = _pairs(counts, prior.allowed, "allowed")
    return np.setdiff1d(np.union1d(seen, more), forbidden)


def _pairs(counts: ChainCounts, pairs: Iterable[tuple[str, str]], name: str) -> Ints:
    """Pairs of names as source * (k + 2) + column."""
    sources = {state: i for i, state in enumerate(counts.states)}
    columns = sources | {end: counts.n_states + i for i, end in enumerate(end_names(counts.states))}
    ids = set()
    for pair in pairs:
        if not _is_pair(pair):
            hint = 'pass pairs like [("basket", "(goal)")].'
            raise OptionError(f"{name} holds {shown(pair)}, expected a pair of names.", hint=hint)
        source, target = place_of(pair[0], sources, name), place_of(pair[1], columns, name)
        ids.add(source * (counts.n_states + 2) + target)
    return np.array(sorted(ids), dtype=np.int64)


def end_names(states: Sequence[str]) -> tuple[str, ...]:
    """Names of the goal and of dropping out, in further parentheses where an activity is called so.

    Examples
    --------
    >>> end_names(["visit"]), end_names(["(goal)"])
    (('(goal)', '(dropped)'), ('((goal))', '(dropped)'))
    """
    names = []
    for name in (GOAL_COLUMN, DROP_COLUMN):
        while name in states:
            name = f"({name})"  # noqa: PLW2901 - it grows until it is free
        names.append(name)
    return tuple(names)


def place_of(value: str, known: Mapping[str, int], what: str) -> int:
    """Number of a name."""
    if value not in known:
        problem = f"{what} holds {shown(value)}, which is not a state of the chain."
        hint = suggestion(str(value), tuple(known), "use the names of the states.")
        raise OptionError(problem, found=f"{listed(tuple(known))}.", hint=hint)
    return known[value]


def _is_pair(pair: object) -> bool:
    return isinstance(pair, (tuple, list)) and len(pair) == 2
