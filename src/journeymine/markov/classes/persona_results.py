"""Personas as results: what each is, and what is known about all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.errors import OptionError
from journeymine.markov.classes.mixture_em import Mixture, MixtureModel
from journeymine.markov.classes.mixture_members import MemberTable, member_table

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.sequences import SequenceCounts
    from journeymine.markov.classes.class_number import TriedNumber
    from journeymine.markov.classes.persona_marks import Mark, SegmentMark
    from journeymine.uncertainty import Estimates

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Persona:
    """One persona.

    Attributes
    ----------
    number
        From 1, the largest first.
    size
        Share of the journeys.
    conversion
        Share of its journeys that reach the goal when followed to their ends.
    events
        Expected events before the goal or the end.
    marks
        States and moves that it makes more or less often than the others, the surest difference first.
    segments
        Values of segments that are more or less frequent in it than in the others.
    path
        Its most probable journey: states, then "(goal)" or "(dropped)".
    path_share
        Probability of exactly that journey.
    """

    number: int
    size: Estimates
    conversion: Estimates
    events: Estimates
    marks: tuple[Mark, ...]
    segments: tuple[SegmentMark, ...]
    path: tuple[str, ...]
    path_share: Estimates


@dataclass(frozen=True, slots=True, eq=False)
class Personas:
    """Personas of a log; `find_personas` makes one.

    Attributes
    ----------
    personas
        The largest first; a single one says that the journeys do not fall into kinds that can be told apart.
    tried
        Numbers of personas that were tried.
    stability
        Adjusted Rand index with personas found afresh in resampled customers; None for one persona.
    separation
        1 where nobody's persona is in doubt, 0 where everybody's is; None for one persona.
    warnings
        "few_journeys", "unstable", "not_converged".
    customers
        Whether a customer belongs to a persona with all journeys; else each journey has its own.
    n_members, n_journeys
        Members and journeys.
    n_draws
        Bootstrap replicates.
    table, fit
        Members and the fitted mixture.
    """

    personas: tuple[Persona, ...]
    tried: tuple[TriedNumber, ...]
    stability: Estimates | None
    separation: Estimates | None
    warnings: tuple[str, ...]
    customers: bool
    n_members: int
    n_journeys: int
    n_draws: int
    table: MemberTable
    fit: Mixture

    @property
    def k(self) -> int:
        """Number of personas."""
        return len(self.personas)

    @property
    def number_table(self) -> pd.DataFrame:
        """One row a number of personas that was tried: k, log_likelihood, n_parameters, aic, bic, chosen."""
        import pandas as pd

        return pd.DataFrame(
            {
                "k": [row.n_classes for row in self.tried],
                "log_likelihood": [row.log_likelihood for row in self.tried],
                "n_parameters": [row.n_parameters for row in self.tried],
                "aic": [row.aic for row in self.tried],
                "bic": [row.bic for row in self.tried],
                "chosen": [row.n_classes == self.k for row in self.tried],
            }
        )

    def to_frame(self) -> pd.DataFrame:
        """One row an estimate: persona, quantity, source, target, estimate, lower, upper, n, q_value."""
        import pandas as pd

        rows = [row for persona in self.personas for row in _rows(persona)]
        for name, value in (("stability", self.stability), ("separation", self.separation)):
            if value is not None:
                rows.append(_row(0, name, None, None, value, None))
        return pd.DataFrame(rows, columns=list(_COLUMNS))

    def assign(self, sequences: SequenceCounts | None = None) -> Floats:
        """Probability that each journey's member belongs to each persona.

        Parameters
        ----------
        sequences
            Other journeys in the same states, each on its own; by default those the personas were found in.

        Returns
        -------
        Floats
            Shape (n_sequences, K), rows sum to 1, in the order of the sequences, which is that of their content
            (`chain.data.sequences`) and not that of a list or a log; the shares of the personas where nothing was
            watched.

        Raises
        ------
        OptionError
            The other journeys have other states.
        """
        if sequences is None:
            n_all = int(self.table.n_sequences)
            return self._placed(self.fit.membership[self.table.kind], self.table, n_all)
        if sequences.states != self.table.sequences.states:
            raise OptionError("the states of these journeys are not those of the personas.")
        other = member_table(sequences, member="journey")
        width = sequences.n_states + 2
        own, new = (t.edges[:, 0] * width + t.edges[:, 1] for t in (self.table, other))
        place = np.minimum(np.searchsorted(own, new), len(own) - 1)
        # What no persona was seen to do tells nothing about who it was.
        known = (own[place] == new)[:, None]
        log_moves = np.where(known, self.fit.log_moves[0][place], 0.0)[None]
        membership, _ = MixtureModel(other.members).expect(log_moves, self.fit.log_shares)
        return self._placed(membership[other.kind], other, sequences.n_sequences)

    def _placed(self, membership: Floats, table: MemberTable, n: int) -> Floats:
        found = np.repeat(np.exp(self.fit.log_shares), n, axis=0)
        found[table.of_sequence] = membership
        return found

    def __repr__(self) -> str:
        who = "customers" if self.customers else "journeys"
        head = f"Personas: {self.k} in {self.n_members:,} {who} ({self.n_journeys:,} journeys)"
        lines = [_line(persona) for persona in self.personas[:8]]
        notes = [f"warnings: {', '.join(self.warnings)}"] if self.warnings else []
        return "\n".join([head, *lines, *notes, "Next: .to_frame(), .number_table, .assign()"])


_COLUMNS = ("persona", "quantity", "source", "target", "estimate", "lower", "upper", "n", "q_value")


def _row(
    number: int, name: str, source: object, target: object, value: Estimates, q_value: float | None
) -> dict[str, object]:
    missing: dict[str, Any] = {"estimate": None, "lower": None, "upper": None, "n": 0}
    numbers: dict[str, Any] = value.at() or missing
    return {
        "persona": number,
        "quantity": name,
        "source": source,
        "target": target,
        **numbers,
        "q_value": q_value,
    }


def _rows(persona: Persona) -> list[dict[str, object]]:
    i = persona.number
    rows = [
        _row(i, "size", None, None, persona.size, None),
        _row(i, "conversion", None, None, persona.conversion, None),
        _row(i, "events", None, None, persona.events, None),
        _row(i, "path_share", None, None, persona.path_share, None),
    ]
    rows += [
        _row(i, f"lift of {mark.kind}", mark.source, mark.target, mark.lift, mark.q_value)
        for mark in persona.marks
    ]
    rows += [
        _row(i, "lift of segment", mark.column, mark.value, mark.lift, mark.q_value)
        for mark in persona.segments
    ]
    return rows


def _line(persona: Persona) -> str:
    share, rate = float(persona.size.estimate), float(persona.conversion.estimate)
    first = persona.marks[0] if persona.marks else None
    mark = ""
    if first is not None:
        what = " → ".join(str(name)[:40] for name in (first.source, first.target) if name is not None)
        mark = f"; {what} x{float(first.lift.estimate):.3g}"
    return f"{persona.number:>3}. {share:.1%} of journeys, {rate:.1%} convert{mark}"
