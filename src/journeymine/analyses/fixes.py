"""Ranking fixes for a log: counts from the engine in, the ranking out."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from journeymine._checks import check_choice, duration_us
from journeymine.analyses.chain_data import LogData
from journeymine.analyses.fix_evidence import (
    evidence_of,
    money_of,
    reach_and_audience,
    sequences_of,
    trials_of,
    waits_of,
)
from journeymine.counts.attempts import keep_attempts, merge_like_attempts, with_attempts
from journeymine.errors import NotEnoughDataError, OptionError, shown
from journeymine.fixes.assembly import MONTH_DAYS, Material, Scale, rank_all
from journeymine.fixes.candidates import Evidence, Found, resolve_fixes, search_candidates, time_candidates
from journeymine.fixes.causal.care import care_of, exposure_of
from journeymine.fixes.causal.state_facts import StateFacts
from journeymine.fixes.causal.trials import carry_over
from journeymine.fixes.classes import find_classes
from journeymine.fixes.experiments.plannable import PlanFacts, metric_words
from journeymine.fixes.experiments.posterior import recalibrated
from journeymine.fixes.experiments.registry import read_registry
from journeymine.fixes.exposed import with_exposures
from journeymine.fixes.ranking import FixRanking, FixSet
from journeymine.fixes.what_if.interactions import interacting
from journeymine.fixes.what_if.outcome import OUTCOMES, Conversion, Revenue, Time
from journeymine.fixes.what_if.timing import timing_of
from journeymine.fixes.what_if.what_if import WhatIf
from journeymine.markov.fit import fit_chain
from journeymine.markov.timing.semi_kernel import estimate_kernel
from journeymine.uncertainty import Estimates, bootstrap_weights, percentile_interval

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from journeymine.counts.chain import ChainCounts
    from journeymine.counts.sequences import SequenceCounts
    from journeymine.counts.waits import WaitCounts
    from journeymine.fixes.candidates import Candidate
    from journeymine.fixes.causal.care import Care
    from journeymine.fixes.causal.placebo import PlaceboResult
    from journeymine.fixes.classes import Classes
    from journeymine.fixes.experiments.plannable import FollowUp
    from journeymine.fixes.experiments.posterior import Recalibrated
    from journeymine.fixes.fix import Fix
    from journeymine.fixes.what_if.cell_model import CellModel
    from journeymine.fixes.what_if.outcome import Outcome
    from journeymine.fixes.what_if.timing import Timing
    from journeymine.fixes.what_if.what_if import Effects
    from journeymine.log import EventLog

Heterogeneity = Literal["classes"]
Causal = Literal["standardise", "aipw", "none"]
OutcomeName = Literal["conversion", "revenue", "time"]
Candidates = Literal["auto"]
DAY_US = 86_400_000_000
MOST_TOGETHER, MOST_PAIRS = 3, 3
FEWEST_DRAWS = 2
ENOUGH_JOURNEYS = 50_000
"""Journeys that the check of mixed states looks at; classes and exposures look at all."""


@dataclass(frozen=True, slots=True)
class FixSettings:
    """How fixes are to be ranked; see `EventLog.rank_fixes`."""

    outcome: str = "conversion"
    heterogeneity: str | None = None
    causal: Causal = "standardise"
    n_draws: int = 1000
    seed: int = 0
    value: float | None = None
    months: float = 12.0
    budget: float | None = None
    horizon: str | timedelta | None = None
    registry: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        if self.heterogeneity not in (None, "classes"):
            raise OptionError(
                f"heterogeneity is {shown(self.heterogeneity)}, expected None or 'classes'.",
                hint='pass heterogeneity="classes" to correct for customers who differ in ways no segment shows.',
            )
        for name, least in (("n_draws", FEWEST_DRAWS), ("seed", 0)):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < least:
                raise OptionError(f"{name} is {shown(number)}, expected a whole number from {least}.")
        for name in ("value", "months", "budget"):
            number = getattr(self, name)
            if number is not None and (
                isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 < number < np.inf
            ):
                raise OptionError(f"{name} is {shown(number)}, expected a number above 0.")
        check_choice("outcome", self.outcome, Literal[OUTCOMES])
        check_choice("causal", self.causal, Causal)
        if self.horizon is not None and self.outcome != "conversion":
            raise OptionError(
                f"horizon is {shown(self.horizon)} and outcome is {shown(self.outcome)}, expected conversion.",
                hint='leave horizon out, or pass outcome="conversion".',
            )


def rank_fixes(
    log: EventLog, candidates: Candidates | Sequence[Fix], settings: FixSettings, extra: Sequence[Fix] = ()
) -> FixRanking:
    """Find candidates, estimate their effects on the same draws, judge and rank them.

    Parameters
    ----------
    extra
        The user's own fixes, beside those that the data suggest.
    """
    return _Ranking(log, settings).of(candidates, extra)


class _Ranking:
    """One ranking under way: everything that is counted once."""

    def __init__(self, log: EventLog, settings: FixSettings) -> None:
        self.log, self.settings = log, settings
        self.evidence: Evidence = evidence_of(log, seed=settings.seed)
        self.counts: ChainCounts = self.evidence.counts
        assert self.evidence.attempts is not None
        self.attempts: ChainCounts = self.evidence.attempts
        self.states: ChainCounts = self.attempts
        whole = settings.heterogeneity is not None or settings.causal == "aipw"
        self.sequences: SequenceCounts = sequences_of(log, most=None if whole else ENOUGH_JOURNEYS)
        self.money = money_of(log)
        self.pairs: list[tuple[int, int]] = []
        self.facts = StateFacts(self.counts, self.evidence.drops, self.sequences, settings.seed)

    def of(self, wanted: Candidates | Sequence[Fix], extra: Sequence[Fix]) -> FixRanking:
        """The ranking of the candidates that the data suggest, or of the fixes that are given."""
        found = search_candidates(self.evidence)
        candidates = self._candidates(found, wanted, extra)
        self.states = merge_like_attempts(self.attempts, self.counts, self._looping(candidates))
        classes = self._classes(candidates)
        settings = self.settings
        what_if = self._what_if(found, candidates, classes)
        if settings.outcome == "time":
            # Who is kept goes on, and so most repairs make journeys longer: those are no suggestion here.
            saves = [c.block == "user" or what_if.effect_at(i, 1.0) > 0 for i, c in enumerate(candidates)]
            candidates = list(itertools.compress(candidates, saves))
            what_if = self._what_if(found, candidates, classes)
        predicted = self._with_exposures(
            candidates, what_if.estimate(n_draws=settings.n_draws, seed=settings.seed)
        )
        known = self._known(candidates, predicted)
        effects = (
            predicted if known is None else replace(predicted, effect=known.effect, effect_draws=known.draws)
        )
        scale = self._scale(len(effects.effect_draws))
        tested = () if known is None else known.tested
        care, placebo = self._care(what_if, candidates, effects, scale, tested)
        reach, audience = reach_and_audience(self.log, self.counts, candidates)
        facts = self._facts(what_if, candidates)
        ranked = rank_all(
            Material(
                candidates,
                effects,
                reach,
                audience,
                scale,
                self.counts.n_starts,
                care,
                None if known is None else predicted,
                facts,
            )
        )
        ranking = FixRanking(
            fixes=ranked.fixes,
            found=found,
            conversion=self._conversion(effects),
            n_draws=len(effects.effect_draws),
            unit="buckets" if self.log.canonical.buckets else "customers",
            states=self.counts.states,
            log=self.log,
            classes=classes,
            outcome=settings.outcome,
            causal=settings.causal,
            unit_of_value=ranked.unit_of_value,
            evpi=ranked.evpi,
            p_nothing=ranked.p_nothing,
            placebo=placebo,
            what_if=what_if,
            effects=effects,
            scale=scale.of_effect,
            places={candidate.fix.id: i for i, candidate in enumerate(candidates)},
            draws=ranked.draws,
            facts=facts,
            seed=settings.seed,
            calibration=None if known is None else known.calibration,
            horizon=None if settings.horizon is None else str(settings.horizon),
            horizon_months=settings.months,
        )
        return replace(ranking, sets=self._sets(ranking, candidates))

    def _what_if(self, found: Found, candidates: Sequence[Candidate], classes: Classes | None) -> WhatIf:
        return WhatIf(
            self.states,
            self.counts,
            candidates,
            pools=found.pools,
            classes=classes,
            waits=self._waits(candidates),
            standardise=self.settings.causal != "none",
            outcome=self._outcome,
            timing=self._timing(),
        )

    def _conversion(self, effects: Effects) -> Estimates:
        """Conversion now: within the horizon, if there is one."""
        if self.settings.horizon is not None:
            return percentile_interval(np.asarray(effects.base), effects.base_draws, self.counts.n_starts)
        return fit_chain(self.counts, n_draws=self.settings.n_draws, seed=self.settings.seed).converted

    def _with_exposures(self, candidates: Sequence[Candidate], effects: Effects) -> Effects:
        """Effects of steps that customers choose to meet, adjusted for their history where that is asked for."""
        settings = self.settings
        if settings.causal != "aipw" or settings.outcome != "conversion" or settings.horizon is not None:
            return effects
        exposures = [
            exposure_of(self.facts, self.counts, c.fix, c.state, self.evidence.segments)[0]
            for c in candidates
        ]
        return with_exposures(candidates, effects, exposures, self.counts.n_units, settings.seed)

    def _sets(self, ranking: FixRanking, candidates: Sequence[Candidate]) -> tuple[FixSet, ...]:
        """What is best done together, and pairs whose effects do not add up."""
        own = [c.fix.id for c in candidates if c.block != "assumed"]
        if len(own) < 2:
            return ()
        found: list[FixSet] = []
        with contextlib.suppress(NotEnoughDataError):
            found.append(ranking.choose(self.settings.budget, most=MOST_TOGETHER))
        known = {frozenset(one.ids) for one in found}
        for a, b in self.pairs[:MOST_PAIRS]:
            ids = (candidates[a].fix.id, candidates[b].fix.id)
            if frozenset(ids) not in known:
                found.append(ranking.together(ids))
        return tuple(one for one in found if len(one.ids) > 1)

    def _candidates(
        self, found: Found, wanted: Candidates | Sequence[Fix], extra: Sequence[Fix]
    ) -> list[Candidate]:
        if not isinstance(wanted, str):
            return resolve_fixes(wanted, self.evidence, found.candidates)
        check_choice("candidates", wanted, Candidates)
        own = resolve_fixes(extra, self.evidence, found.candidates)
        return [*own, *self._suggested(found, {candidate.fix.id for candidate in own})]

    def _suggested(self, found: Found, known: set[str]) -> list[Candidate]:
        """What the data suggest: for the time of journeys, long waits, loops and detours in place of drop-outs."""
        if self.settings.outcome == "time":
            rest = [c for c in found.candidates if c.block != "assumed" and c.kind != "step"]
            known = known | {c.fix.id for c in rest}
            waits = waits_of(self.log, None) if self.evidence.timed else None
            return [*rest, *(c for c in time_candidates(self.evidence, waits) if c.fix.id not in known)]
        # A skipped step was seen to keep customers; how fast they then are is another question.
        steps = self.settings.horizon is None
        return [c for c in found.candidates if c.fix.id not in known and (steps or c.kind != "step")]

    def _looping(self, candidates: Sequence[Candidate]) -> set[int]:
        """Activities of loops that a fix is about: they keep their attempts."""
        loops = [c for c in candidates if c.fix.kind == "loop"]
        targets = {self.counts.states.index(c.fix.target) for c in loops if c.fix.target is not None}
        return {c.state for c in loops} | targets

    def _classes(self, candidates: Sequence[Candidate]) -> Classes | None:
        """Classes of customers, and the states that go with them.

        Determined customers come back more often, so classes look like memory and memory like classes (Heckman 1981).
        Journeys are therefore told by attempts, by classes, or by both: whichever has the smallest BIC.
        """
        if self.settings.heterogeneity is None:
            return None
        told = self._classes_in(self.states)
        plain = keep_attempts(self.attempts, self.counts, self._looping(candidates))
        if plain.n_states == self.states.n_states:
            return told
        untold = self._classes_in(plain)
        if not untold.corrected or told.bic <= untold.bic:
            return told
        self.states = plain
        return untold

    def _classes_in(self, states: ChainCounts) -> Classes:
        return find_classes(with_attempts(self.sequences, states), states, seed=self.settings.seed)

    def _waits(self, candidates: Sequence[Candidate]) -> WaitCounts | None:
        activities = sorted({int(self.counts.activity[c.state]) for c in candidates if c.fix.kind == "wait"})
        return waits_of(self.log, activities) if activities else None

    def _outcome(self, model: CellModel) -> Outcome:
        if self.settings.outcome == "time":
            if self.log.canonical.last_us is None:
                hint = 'read the log with timestamp="...", or rank by another outcome.'
                raise NotEnoughDataError("the log has no times, so nothing can be saved of them.", hint=hint)
            return Time(model, self.states)
        if self.settings.outcome == "revenue":
            if self.money is None:
                raise OptionError(
                    "outcome is 'revenue', but the log has no value of a conversion.",
                    hint='read the log with value="..." (a column with the money of the goal).',
                )
            return Revenue(model, *self.money)
        return Conversion()

    def _timing(self) -> Timing | None:
        """Clock of the horizon; None for conversion in the end."""
        if self.settings.horizon is None:
            return None
        horizon = duration_us(self.settings.horizon, name="horizon")
        return timing_of(estimate_kernel(LogData(self.log).waits, self.counts), horizon)

    def _known(self, candidates: Sequence[Candidate], effects: Effects) -> Recalibrated | None:
        """Effects after the past experiments; None without one that can be used."""
        if self.settings.registry is None:
            return None
        past = [
            test
            for test in read_registry(self.settings.registry)
            if test.usable and test.outcome == self.settings.outcome
        ]
        if not past:
            return None
        fixes = [candidate.fix for candidate in candidates]
        kinds, ids = [fix.kind for fix in fixes], [fix.id for fix in fixes]
        return recalibrated(effects.effect, effects.effect_draws, kinds, ids, past)

    def _care(
        self,
        what_if: WhatIf,
        candidates: Sequence[Candidate],
        effects: Effects,
        scale: Scale,
        tested: Sequence[bool],
    ) -> tuple[tuple[Care, ...], PlaceboResult]:
        scored = percentile_interval(effects.effect, effects.effect_draws, self.counts.n_starts)
        # Costs in the unit of the effect; without a value there is nothing to compare them with.
        price = np.array([c.fix.cost for c in candidates], dtype=float) / (scale.of_effect or np.inf)
        return care_of(
            self.counts,
            self.evidence.drops,
            self.sequences,
            [c.fix for c in candidates],
            [c.state for c in candidates],
            base=effects.base,
            effects=scored,
            effect_at=self._effect_at(what_if, effects),
            next_best=_next_best(candidates, scored, price),
            cost=price,
            tested=[c.fix.id for c, known in zip(candidates, tested, strict=False) if known],
            facts=self.facts,
            segments=self.evidence.segments,
            causal=self.settings.causal,
            flags=self._flags(what_if, candidates, effects),
            less_is_better=self.settings.outcome == "time",
            seed=self.settings.seed,
        )

    @staticmethod
    def _effect_at(what_if: WhatIf, effects: Effects) -> Callable[[int, float], float]:
        """Effect of a fix at a rescue factor: on the chains, in proportion to what is believed of it.

        That is other than the chains say within a horizon, after an experiment, and where histories were adjusted for.
        """
        on_chain = [what_if.effect_at(i, c.fix.rho) for i, c in enumerate(what_if.candidates)]

        def at(i: int, rho: float) -> float:
            part = effects.effect[i] / on_chain[i] if on_chain[i] else 0.0
            return float(part * what_if.effect_at(i, rho))

        return at

    def _flags(
        self, what_if: WhatIf, candidates: Sequence[Candidate], effects: Effects
    ) -> list[tuple[str, ...]]:
        """What the engine of the what-ifs knows that a reader should be careful about."""
        self.pairs = interacting(what_if, effects.effect)
        together = {i for pair in self.pairs for i in pair}
        carried = self._carried_over(candidates)
        return [
            (
                *(("selected",) if candidate.shrinkage is not None else ()),
                *(("silent_waits",) if what_if.operations[i].silent else ()),
                *(("interaction",) if i in together else ()),
                *(("carry_over",) if i in carried else ()),
            )
            for i, candidate in enumerate(candidates)
        ]

    def _carried_over(self, candidates: Sequence[Candidate]) -> set[int]:
        """Fixes of waits after which those who waited long do otherwise than those who did not."""
        waits = {
            i: int(self.counts.activity[c.state]) for i, c in enumerate(candidates) if c.fix.kind == "wait"
        }
        if not waits:
            return set()
        trials = trials_of(self.log, sorted(set(waits.values())))
        found = {i: carry_over(trials, activity) for i, activity in waits.items()}
        return {i for i, one in found.items() if one is not None and one.flagged}

    def _facts(self, what_if: WhatIf, candidates: Sequence[Candidate]) -> PlanFacts:
        canonical, journeys = self.log.canonical, self.log._journeys("plans")  # noqa: SLF001
        goals = [canonical.activities[code] for code in journeys.goal]
        follow_up: FollowUp = "silence" if self.settings.horizon is None else "horizon"
        days = (
            None if canonical.clock != "calendar" or journeys.idle.us is None else journeys.idle.us / DAY_US
        )
        if self.settings.horizon is not None:
            days = duration_us(self.settings.horizon, name="horizon") / DAY_US
        return PlanFacts(
            outcome=self.settings.outcome,
            metric=metric_words(goals, days, follow_up),
            follow_up=follow_up,
            baseline={c.fix.id: what_if.baseline(i) for i, c in enumerate(candidates)},
            follow_up_days=days,
            customers_per_journey=min(1.0, canonical.n_customers / max(canonical.n_cases, 1)),
        )

    def _scale(self, n_draws: int) -> Scale:
        """Journeys a month, and the mean value of a conversion on the same draws as the effects."""
        settings, canonical = self.settings, self.log.canonical
        journeys = self.log._journeys("money")  # noqa: SLF001 - the log delegates to this function
        per_month = None
        if canonical.clock == "calendar" and canonical.first_us is not None and canonical.last_us is not None:
            days = (canonical.last_us - canonical.first_us) / DAY_US
            # Effects are shares of the journeys that start.
            per_month = (canonical.n_cases - journeys.n_not_started) / days * MONTH_DAYS if days > 0 else None
        if settings.value is not None:
            return Scale(settings.outcome, per_month, settings.value, None, settings.months)
        if self.money is None or settings.outcome == "time":
            return Scale(settings.outcome, per_month, months=settings.months)
        unit, _, money, n = self.money
        by_unit = np.zeros((canonical.n_units, 2))
        np.add.at(by_unit, unit, np.stack([money, n], axis=1))
        weights = bootstrap_weights(canonical.n_units, n_draws, settings.seed)
        sums = np.concatenate([chunk @ by_unit for chunk in weights])
        with np.errstate(divide="ignore", invalid="ignore"):
            draws = sums[:, 0] / sums[:, 1]
        mean = float(by_unit[:, 0].sum() / by_unit[:, 1].sum())
        return Scale(settings.outcome, per_month, mean, draws, settings.months)


def _next_best(candidates: Sequence[Candidate], effects: Estimates, price: np.ndarray) -> np.ndarray:
    """Effect at which each fix falls to the next one of its list, after costs; nan for the last one."""
    following = np.full(len(candidates), np.nan)
    net, lower = effects.estimate - price, effects.lower - price
    for assumed in (False, True):
        group = [i for i, c in enumerate(candidates) if (c.block == "assumed") == assumed]
        order = sorted(group, key=lambda i: (-lower[i], -net[i], candidates[i].fix.id))
        for one, after in itertools.pairwise(order):
            following[one] = net[after] + price[one]
    return following
