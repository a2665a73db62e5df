"""Which activities are drawn as steps of their own: at most forty; the rarest of each stage share a step."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from journeymine.paths.process_stages import Stages

    Ints = NDArray[np.int64]

MAX_STEPS: Final = 40
MAX_IN_A_ROW: Final = 80
"""Steps of a log that is nearly one chain, at most CHAIN paths a step: as easy to follow as it is long."""
CHAIN: Final = 1.5
LONGEST: Final = 40
KEPT_BONUS: Final = 1.1
"""A step of an earlier run stays one unless another is clearly more frequent."""


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Steps of the map; a step stands for one activity, or for the rare ones of its stage.

    Attributes
    ----------
    ids
        Safe in an address: letters, digits, `-` and `.` only.
    members
        Codes of the activities of each step.
    stage
        Stage of each step, shape (k,).
    of
        Step of each activity, shape (number of activities,).
    """

    ids: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]
    stage: Ints
    of: Ints

    @property
    def n_folded(self) -> int:
        """Activities that share a step."""
        return sum(len(members) for members in self.members if len(members) > 1)


def step_ids(names: Sequence[str]) -> tuple[str, ...]:
    """Short, unique ids that depend on the name alone, so that they are the same in the next run.

    Examples
    --------
    >>> step_ids(["Account sign-in", "Pay", "pay", "支払い"])
    ('account-sign-in', 'pay-723afa', 'pay-935087', 'e78820')
    """
    slugs = [_slug(name) for name in names]
    often = Counter(slugs)
    return tuple(
        slug if slug and often[slug] == 1 and _is_kept(name) else f"{slug}-{_digest(name)}".strip("-")
        for slug, name in zip(slugs, names, strict=True)
    )


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name[: 4 * LONGEST].lower())[:LONGEST].strip("-")


def _is_kept(name: str) -> bool:
    """Whether the slug of a name keeps all its letters."""
    return len(name) <= LONGEST and name.isascii()


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]


def fold_steps(
    ids: Sequence[str],
    n: Ints,
    stages: Stages,
    *,
    protected: Collection[int] = (),
    before: Collection[str] = (),
    most: int = MAX_STEPS,
) -> Steps:
    """Choose the steps.

    Parameters
    ----------
    ids
        Id of each activity.
    n
        Events of each activity.
    stages
        Stage of each activity.
    protected
        Codes that always keep a step of their own: the goal.
    before
        Ids of the steps of an earlier run.
    most
        Steps at most.

    Examples
    --------
    >>> from journeymine.paths.process_stages import configured_stages
    >>> stages = configured_stages(["a", "b", "c", "d"], [("s", "S", ["a", "b", "c", "d"])])
    >>> steps = fold_steps(["a", "b", "c", "d"], np.array([9, 1, 8, 1]), stages, most=3)
    >>> steps.ids, steps.members
    (('a', 'c', 'other.s'), ((0,), (2,), (1, 3)))
    """
    weight = np.asarray(n, dtype=float) * [KEPT_BONUS if id_ in before else 1.0 for id_ in ids]
    order = sorted(range(len(ids)), key=lambda c: (c not in protected, -weight[c], ids[c]))
    n_own = len(ids)
    while n_own > 0 and n_own + _n_shared(order[n_own:], stages) > most:
        n_own -= 1
    groups: list[tuple[int, ...]] = [(code,) for code in sorted(order[:n_own])]
    for stage in range(len(stages.ids)):
        rest = tuple(sorted(code for code in order[n_own:] if stages.of[code] == stage))
        groups += [rest] if rest else []
    groups.sort(key=lambda group: (len(group) > 1, group))
    of = np.zeros(len(ids), np.int64)
    for step, group in enumerate(groups):
        of[list(group)] = step
    stage_of = np.array([stages.of[group[0]] for group in groups], dtype=np.int64)
    stage_ids = step_ids(stages.ids)
    own = [
        ids[group[0]] if len(group) == 1 else f"other.{stage_ids[stage]}"
        for group, stage in zip(groups, stage_of.tolist(), strict=True)
    ]
    return Steps(tuple(own), tuple(groups), stage_of, of)


def _n_shared(rest: Sequence[int], stages: Stages) -> int:
    return len({int(stages.of[code]) for code in rest})
