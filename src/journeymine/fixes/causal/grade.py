"""How good the evidence for a fix is, in one word, and why not better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from journeymine.errors import OptionError, listed, shown

if TYPE_CHECKING:
    from collections.abc import Collection

Grade = Literal["experiment", "adjusted", "association"]
FLAGS = (
    "positivity",
    "mixed_state",
    "interaction",
    "few_visits",
    "silent_waits",
    "selected",
    "carry_over",
)
"""Everything that may be said of a fix beside its numbers."""
AGAINST = ("mixed_state", "silent_waits", "carry_over")
"""Flags that speak against reading the number as an effect: no state, assumed patience, a past that matters."""


def grade(
    kind: str,
    *,
    standardised: bool,
    overlap_ok: bool,
    placebo_quiet: bool,
    flags: Collection[str] = (),
    tested: bool = False,
    control_quiet: bool | None = None,
) -> tuple[Grade, tuple[str, ...]]:
    """Grade of the evidence, and short codes for what stands in the way of a better one.

    Parameters
    ----------
    kind
        Kind of the fix, such as "drop_off".
    standardised
        Whether segments were held fixed, or an exposure was adjusted for the history of the journeys.
    overlap_ok
        Whether the segments that the fix is about reach the state.
    placebo_quiet
        Whether random splits of the customers show nothing.
    flags
        Flags of the fix; see `FLAGS`.
    tested
        Whether the effect was read back from an experiment.
    control_quiet
        Whether the negative control shows nothing; None where none was made.

    Returns
    -------
    grade, reasons
        "experiment"; else "adjusted" if nothing speaks against it; else "association". Reasons are of
        "not_tested", "not_standardised", "no_overlap", "placebo", "mixed_state", "silent_waits", "carry_over" and
        "control".

    Examples
    --------
    >>> grade("drop_off", standardised=True, overlap_ok=True, placebo_quiet=True)
    ('adjusted', ('not_tested',))
    >>> grade("drop_off", standardised=True, overlap_ok=False, placebo_quiet=True, flags=["positivity"])
    ('association', ('not_tested', 'no_overlap'))
    """
    unknown = sorted(set(flags) - set(FLAGS))
    if unknown:
        raise OptionError(f"flag {shown(unknown[0])} of a {kind} is not known.", found=listed(FLAGS))
    if tested:
        return "experiment", ()
    against = {
        "not_standardised": not standardised,
        "no_overlap": not overlap_ok or "positivity" in flags,
        "placebo": not placebo_quiet,
        **{flag: flag in flags for flag in AGAINST},
        "control": control_quiet is False,
    }
    reasons = tuple(code for code, holds in against.items() if holds)
    return ("association" if reasons else "adjusted"), ("not_tested", *reasons)
