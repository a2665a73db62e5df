"""How varied the paths are, and the frequent patterns with how they end, as plain numbers."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from journeymine.counts.motifs import KINDS
from journeymine.reporting.schema_parts import (
    COUNT,
    ESTIMATE,
    ESTIMATE_OR_NULL,
    FLAG,
    NUMBER,
    TEXT,
    array_of,
    object_of,
    one_of,
    or_null,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journeymine.paths.motifs import Motifs
    from journeymine.paths.variants import Variants
    from journeymine.reporting.schema_parts import Schema

SHOWN, SHOWN_LOOPS = 8, 5
LEAST_JOURNEYS, LEAST_KNOWN, LEAST_RARER = 5, 30, 5
FALSE_DISCOVERY_RATE: Final = 0.05


def variety_section(variants: Variants) -> dict[str, Any]:
    """How many variants cover how much, and their entropy."""
    curve, entropy = variants.coverage, variants.entropy
    return {
        "n_variants": variants.counts.n_variants,
        "n_once": variants.n_once,
        "coverage": [
            {"n_variants": int(k), "share": curve.share.at(i)} for i, k in enumerate(curve.n_variants)
        ],
        "n_variants_half": curve.n_variants_for(0.5),
        "n_variants_most": curve.n_variants_for(0.8),
        "known": entropy.known.at(),
        "entropy": {
            "bits": entropy.bits.at(),
            "normalised": entropy.normalised.at(),
            "observed": entropy.observed,
        },
    }


def variety_schema() -> Schema:
    """Schema of `variety`."""
    return object_of(
        n_variants=COUNT,
        n_once=COUNT,
        coverage=array_of(object_of(n_variants=COUNT, share=ESTIMATE)),
        n_variants_half=COUNT,
        n_variants_most=COUNT,
        known=ESTIMATE_OR_NULL,
        entropy=object_of(bits=ESTIMATE_OR_NULL, normalised=ESTIMATE_OR_NULL, observed=NUMBER),
    )


def patterns_section(motifs: Motifs) -> list[dict[str, Any]]:
    """The commonest repeats, loops and sequences; `place` numbers the most telling ones, null for the others.

    `is_sure`: the difference is beyond the noise (false discovery rate of 5 %), with 30 known journeys on each
    side and 5 of the rarer outcome.
    """
    places = {pattern: place for place, pattern in enumerate(_telling(motifs), start=1)}
    parts = motifs.contrast
    return [
        {
            "kind": KINDS[int(motifs.counts.kind[i])],
            "activities": list(motifs.names(i)),
            "n": int(motifs.counts.n[i]),
            "n_journeys": int(motifs.n_journeys[i]),
            "share": motifs.share.at(i),
            "conversion": parts.with_it.at(i),
            "conversion_other": parts.without_it.at(i),
            "difference": parts.difference.at(i),
            "q_value": float(motifs.q_value[i]) if np.isfinite(motifs.q_value[i]) else None,
            "is_sure": _sure(motifs, i),
            "place": places.get(i),
        }
        for i in range(len(motifs.counts.paths))
    ]


def patterns_schema() -> Schema:
    """Schema of `patterns`."""
    return array_of(
        object_of(
            kind=one_of(*KINDS),
            activities=array_of(TEXT),
            n=COUNT,
            n_journeys=COUNT,
            share=ESTIMATE_OR_NULL,
            conversion=ESTIMATE_OR_NULL,
            conversion_other=ESTIMATE_OR_NULL,
            difference=ESTIMATE_OR_NULL,
            q_value=or_null(NUMBER),
            is_sure=FLAG,
            place=or_null(COUNT),
        )
    )


def _telling(motifs: Motifs) -> list[int]:
    """The few patterns to show: repeats and loops first, then sequences that end less well.

    Those whose difference is beyond the noise come first, by the conversions that surely depend on it; then the
    commonest. Of two patterns that share a step from one activity to another only one is shown. Sequences that
    end well are those that lie on the way to the goal, which says nothing new.
    """
    loops, sequences = (
        [
            i
            for i in range(len(motifs.counts.paths))
            if (motifs.counts.kind[i] == len(KINDS) - 1) == is_sequence
        ]
        for is_sequence in (False, True)
    )
    if np.isfinite(motifs.q_value).any():
        sequences = [i for i in sequences if _sure(motifs, i) and motifs.contrast.difference.estimate[i] < 0]
    chosen: list[int] = []
    for group, most in ((loops, SHOWN_LOOPS), (sequences, SHOWN)):
        ranked = sorted(
            group, key=lambda i: (not _sure(motifs, i), -_stake(motifs, i), -motifs.n_journeys[i], i)
        )
        for i in ranked:
            if (
                len(chosen) < most
                and motifs.n_journeys[i] >= LEAST_JOURNEYS
                and not _overlaps(motifs, i, chosen)
            ):
                chosen.append(i)
    return chosen


def _sure(motifs: Motifs, i: int) -> bool:
    """Whether the difference is beyond the noise, with enough journeys on both sides to tell."""
    found = motifs.contrast
    enough = (
        min(found.with_it.n[i], found.without_it.n[i]) >= LEAST_KNOWN and _rarer(motifs, i) >= LEAST_RARER
    )
    apart = found.difference.lower[i] > 0 or found.difference.upper[i] < 0
    return bool(enough and apart and motifs.q_value[i] <= FALSE_DISCOVERY_RATE)


def _rarer(motifs: Motifs, i: int) -> float:
    """Journeys with the rarer outcome, among those with the pattern: seen, or to be expected of them all."""
    with_it, without = motifs.contrast.with_it, motifs.contrast.without_it
    n, other = float(with_it.n[i]), float(without.n[i])
    won = float(with_it.estimate[i]) * n
    pooled = (won + float(without.estimate[i]) * other) / (n + other)
    return min(max(won, n * pooled), max(n - won, n * (1 - pooled)))


def _stake(motifs: Motifs, i: int) -> float:
    """Conversions that the pattern goes with at the bound nearest to nothing; 0 where it is within the noise."""
    if not _sure(motifs, i):
        return 0.0
    low, high = float(motifs.contrast.difference.lower[i]), float(motifs.contrast.difference.upper[i])
    return min(abs(low), abs(high)) * float(motifs.contrast.with_it.n[i])


def _overlaps(motifs: Motifs, i: int, chosen: list[int]) -> bool:
    taken = {pair for other in chosen for pair in _pairs(motifs, other)}
    return any(pair in taken for pair in _pairs(motifs, i))


def _pairs(motifs: Motifs, i: int) -> Iterator[tuple[int, int]]:
    return pairwise(motifs.counts.paths[i])
