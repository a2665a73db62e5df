"""The designed journey: what customers were meant to do, from a list, a process tree, a file, or the stages."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from journeymine._checks import as_tuple
from journeymine.errors import (
    NotEnoughDataError,
    OptionError,
    did_you_mean,
    listed,
    shown,
    suggestion,
)
from journeymine.process.design_files import read_design
from journeymine.process.tree import SILENT, Tree, activity, exclusive, folded, loop, parse_tree, sequence

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from journeymine.spec import Stage

    Expected = str | Path | Tree | Iterable[str]

Source = Literal["list", "tree", "file", "stages"]
Unexpected = Literal["ignore", "count"]
MARKS = "?+*"
FILES = (".bpmn", ".ptml")
_TREE_TEXT = re.compile(r"\s*(?:(?:->|[→xX×+∧*⟲↺])\s*\(|['\"])")


@dataclass(frozen=True, slots=True)
class Designed:
    """A designed journey, and how the activities of a log map to it.

    Attributes
    ----------
    tree
        The design as a process tree; its leaves are steps.
    source
        "list" (activities in order), "tree", "file" (BPMN or PTML) or "stages".
    steps
        Names of the steps, in the order of the design.
    step_of
        Activity of the log and its step, in the order of the log's activities. Stages are steps of several activities.
    ignored
        Activities of the log that the design does not know and that are left out of the comparison.
    missing
        Steps of the design that no event of the log can be.
    by_visit
        Whether events of one step that follow each other count once, as a visit to a stage.
    required
        Stages that may not be passed over; all others may.
    """

    tree: Tree
    source: Source
    steps: tuple[str, ...]
    step_of: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]
    missing: tuple[str, ...]
    by_visit: bool = False
    required: tuple[str, ...] = ()

    @property
    def optional(self) -> tuple[str, ...]:
        """Steps that a run of the design can do without."""
        return tuple(name for name in self.steps if folded(self.tree, partial(_avoids, name)))

    def __repr__(self) -> str:
        lines = [
            f"Designed: {len(self.steps)} steps, from {self.source}",
            f"  {str(self.tree)[:200]}",
            f"  ignored: {listed(self.ignored) or 'nothing'}",
            "Next: log.conformance()",
        ]
        return "\n".join(lines)


def _avoids(name: str, node: Tree, below: list[bool]) -> bool:
    """Whether a node has a run without the activity."""
    if node.operator == "loop":
        return below[0]
    if node.operator == "exclusive":
        return any(below)
    return all(below) and not (node.operator == "activity" and node.activity == name)


def designed_journey(
    expected: Expected | None,
    stages: Sequence[Stage],
    activities: Sequence[str],
    *,
    required: Collection[str] = (),
    unexpected: Unexpected = "ignore",
) -> Designed:
    """Read the designed journey.

    Parameters
    ----------
    expected
        One of

        - activities in order: "Pay" once, "Pay?" may be left out, "Pay+" once or more, "Pay*" any number of times.
          A name of the log that ends in such a sign is taken as it is;
        - the text of a process tree, as ``->( 'Basket', X( 'Coupon', tau ), 'Pay' )``, or a `Tree`;
        - a file: BPMN (.bpmn) or a process tree (.ptml);
        - None: the order of the stages. A stage is visited at most once, by any number of its activities in any order.
    stages
        Stages of the configuration; used if `expected` is None or empty.
    activities
        Names of the activities of the log.
    required
        Ids of the stages that no journey may pass over; the others may be left out.
    unexpected
        What happens to activities outside the design: "ignore" leaves them out of the comparison,
        "count" makes each of them an inserted step.

    Raises
    ------
    OptionError
        A name in a list or in the text of a tree is not an activity of the log.
    NotEnoughDataError
        There is neither a design nor a stage.

    Examples
    --------
    >>> found = designed_journey(["Basket", "Coupon?", "Pay"], (), ["Basket", "Coupon", "Help", "Pay"])
    >>> print(found.tree)
    ->( 'Basket', X( 'Coupon', tau ), 'Pay' )
    >>> found.steps, found.ignored
    (('Basket', 'Coupon', 'Pay'), ('Help',))
    """
    if unexpected not in ("ignore", "count"):
        raise OptionError(f"unexpected is {shown(unexpected)}, expected 'ignore' or 'count'.")
    if expected is None or expected in ("", (), []):
        return _of_stages(stages, activities, required, unexpected)
    source, tree = _read(expected, activities)
    names = tuple(dict.fromkeys(tree.activities))
    if not names:
        raise OptionError(
            "the designed journey has no activity.", hint="name at least one activity in expected."
        )
    missing = tuple(name for name in names if name not in set(activities))
    _check_names(missing, names, activities, is_file=source == "file")
    return _designed(tree, source, names, {name: name for name in names}, activities, unexpected, missing)


def _read(expected: Expected, activities: Sequence[str]) -> tuple[Source, Tree]:
    if isinstance(expected, Tree):
        return "tree", expected
    if isinstance(expected, Path):
        return "file", read_design(expected, activities)
    # `as_tuple` checks the kinds; a step may stand in the list twice.
    names = as_tuple(expected, name="expected") if isinstance(expected, str) else tuple(expected)
    as_tuple(names, name="expected")
    if len(names) == 1 and names[0] not in activities:
        if names[0].lower().endswith(FILES):
            return "file", read_design(Path(names[0]), activities)
        if _TREE_TEXT.match(names[0]):
            return "tree", parse_tree(names[0])
    return "list", _of_list(names, set(activities))


def _of_list(names: Sequence[str], known: set[str]) -> Tree:
    return sequence(*(_item(text, known) for text in names))


def _item(text: str, known: set[str]) -> Tree:
    mark = text[-1:]
    if text in known or mark not in MARKS or len(text) < 2:
        return activity(text)
    leaf = activity(text[:-1].rstrip())
    if mark == "?":
        return exclusive(leaf, SILENT)
    return loop(leaf, SILENT) if mark == "+" else loop(SILENT, leaf)


def _check_names(
    missing: Sequence[str], names: Sequence[str], activities: Sequence[str], *, is_file: bool
) -> None:
    """A name the log does not have is a mistake, unless a file has it: what is drawn may never have happened."""
    for name in missing:
        close = did_you_mean(name, activities)
        if is_file and len(missing) < len(names) and (close is None or close in names):
            continue
        hint = suggestion(name, activities, "name activities of the log in expected.")
        raise OptionError(
            f"expected {shown(name)} is not an activity of the log.",
            found=f"{listed(activities)}.",
            hint=hint,
        )


def _of_stages(
    stages: Sequence[Stage], activities: Sequence[str], required: Collection[str], unexpected: Unexpected
) -> Designed:
    if not stages:
        hint = "list the activities in order as expected in [journey], or describe the stages in [[stage]] tables."
        raise NotEnoughDataError("there is no designed journey to compare with.", hint=hint)
    for stage_id in required:
        known = [stage.id for stage in stages]
        if stage_id not in known:
            hint = suggestion(stage_id, known, f"the stages are {listed(known)}.")
            raise OptionError(f"required {shown(stage_id)} is not a stage.", hint=hint)
    often = Counter(stage.name for stage in stages)
    name_of = {stage.id: stage.name if often[stage.name] == 1 else stage.id for stage in stages}
    steps = [(name_of[stage.id], stage.id in required) for stage in stages]
    tree = sequence(
        *(activity(name) if needed else exclusive(activity(name), SILENT) for name, needed in steps)
    )
    step_of = {name: name_of[stage.id] for stage in stages for name in stage.activities}
    seen = {step_of[name] for name in activities if name in step_of}
    if not seen:
        raise NotEnoughDataError(
            "no activity of a stage occurs in the log.", hint="check the [[stage]] tables."
        )
    missing = tuple(name for name, _ in steps if name not in seen)
    names = tuple(name for name, _ in steps)
    found = _designed(tree, "stages", names, step_of, activities, unexpected, missing)
    return replace(found, by_visit=True, required=tuple(name for name, needed in steps if needed))


def _designed(
    tree: Tree,
    source: Source,
    steps: tuple[str, ...],
    step_of: dict[str, str],
    activities: Sequence[str],
    unexpected: Unexpected,
    missing: tuple[str, ...],
) -> Designed:
    outside = tuple(name for name in activities if name not in step_of)
    if unexpected == "count":
        # A name in brackets cannot be taken for a stage of the same name.
        taken = set(steps)
        step_of = step_of | {name: f"({name})" if name in taken else name for name in outside}
    return Designed(
        tree,
        source,
        steps,
        tuple((name, step_of[name]) for name in activities if name in step_of),
        outside if unexpected == "ignore" else (),
        missing,
    )
