"""`EventLog`: what users touch. A table of contents that delegates; `reading.read_log` makes one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from journeymine._checks import as_tuple, time_us
from journeymine.canonical import Canonical, Roles, canonicalise
from journeymine.counting.activities import count_activities
from journeymine.counting.chain import count_chain, make_visits
from journeymine.counting.edges import count_edge_cases, count_edges
from journeymine.counting.graph import count_graph
from journeymine.counting.memory import count_with_memory
from journeymine.counting.variants import count_variants
from journeymine.counts.memory import Memory
from journeymine.errors import NotEnoughDataError, OptionError, shown
from journeymine.journeys import (
    EndStates,
    Journeys,
    activity_codes,
    chosen_idle,
    count_end_states,
    cut_by_silence,
    find_journeys,
    unstarted_sql,
)
from journeymine.ledger import Ledger, take_stock
from journeymine.uncertainty import N_DRAWS

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

    import pandas as pd

    from journeymine.activities import NameRules
    from journeymine.analyses.fixes import Causal, Heterogeneity, OutcomeName
    from journeymine.analyses.model import Algorithm
    from journeymine.analyses.patterns import PatternMatch
    from journeymine.counts.activities import ActivityCounts
    from journeymine.counts.chain import ChainCounts
    from journeymine.counts.graph import GraphCounts
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.fixes.fix import Fix
    from journeymine.fixes.ranking import FixRanking
    from journeymine.markov.chain import MarkovChain, Order
    from journeymine.markov.occupation.occupation_curves import JourneyOccupation
    from journeymine.markov.prediction.prediction_quality import PredictionQuality
    from journeymine.markov.priors import Prior
    from journeymine.paths.anchored import AnchoredPaths, FirstAfter
    from journeymine.paths.differences import Differences
    from journeymine.paths.friction import Friction
    from journeymine.paths.funnel import Funnel
    from journeymine.paths.motifs import Motifs
    from journeymine.paths.prefixes import PrefixTree
    from journeymine.paths.process_map import ProcessMap
    from journeymine.paths.signals import FrictionRules
    from journeymine.paths.transitions import Transitions
    from journeymine.paths.variants import Variants
    from journeymine.process.conformance import Conformance
    from journeymine.process.designed import Unexpected
    from journeymine.process.model import ProcessModel
    from journeymine.readers.raw import RawLog


@dataclass(frozen=True)
class EventLog:
    """An event log, coded inside its engine. Methods return new objects; a log never changes.

    Attributes
    ----------
    engine
        The engine that holds the events.
    raw
        The source as it was read.
    roles
        Which column plays which role.
    rules
        How raw names become activities.
    whole
        Canonical events before customers are cut into journeys.
    found
        Journeys and end states; None before `journeys()`.
    stages, expected
        Stages and designed journey of the configuration.
    """

    engine: DuckDBEngine
    raw: RawLog
    roles: Roles
    rules: NameRules
    whole: Canonical
    cut: Canonical | None = None
    found: Journeys | None = None
    stages: tuple[Any, ...] = field(default=())
    expected: Any = None

    @property
    def canonical(self) -> Canonical:
        """Canonical events: of the journeys, once customers are cut into them."""
        return self.cut or self.whole

    @property
    def n_events(self) -> int:
        """Events."""
        return self.canonical.n_events

    @property
    def n_cases(self) -> int:
        """Cases: journeys."""
        return self.canonical.n_cases

    @property
    def n_customers(self) -> int:
        """Customers."""
        return self.canonical.n_customers

    @property
    def activities(self) -> tuple[str, ...]:
        """Names of the activities, sorted."""
        return self.canonical.activities

    @property
    def clock(self) -> str:
        """Kind of clock: "calendar", "relative" (a log wholly in 1970) or "none" (order only)."""
        return self.canonical.clock

    @cached_property
    def ledger(self) -> Ledger:
        """What became of the rows: rejected, noted, tied."""
        segments = self.found.segments if self.found else ()
        unstarted = unstarted_sql(self.canonical, self.found) if self.found and self.found.start else None
        return take_stock(self.engine, self.raw, self.whole, self.roles, segments, unstarted)

    @cached_property
    def end_states(self) -> EndStates | None:
        """Shares of converted, dropped and open journeys; None without a goal."""
        return self.end_states_at(self.found.idle.us) if self.found and self.found.goal else None

    def end_states_at(self, idle_us: int | None) -> EndStates:
        """End states if a journey were over after another silence."""
        return count_end_states(self.engine, self.canonical, self._journeys("end states"), idle_us)

    def where(self, condition: str) -> EventLog:
        """Only the rows that meet an SQL condition on the columns of the source; the others go to the ledger.

        Journeys have to be defined again.
        """
        both = f"({self.roles.where}) AND ({condition})" if self.roles.where else condition
        return event_log(self.engine, self.raw, replace(self.roles, where=both), self.rules, self.stages)

    def between(self, start: str | datetime, end: str | datetime) -> EventLog:
        """Only the events from `start` (included) to `end` (excluded), times in UTC unless they say otherwise.

        A journey that crosses a border is cut there, so counts of neighbouring periods do not add up.
        """
        if self.whole.time_plan is None:
            raise NotEnoughDataError(
                "the log has no times, so nothing lies between two of them.", hint='pass timestamp="...".'
            )
        first, last = (time_us(value) for value in (start, end))
        return self.where(f"{self.whole.time_plan.sql} >= {first} AND {self.whole.time_plan.sql} < {last}")

    def journeys(
        self,
        goal: str | Iterable[str] | None = None,
        *,
        end: str | Iterable[str] | None = None,
        start: str | Iterable[str] | None = None,
        idle: str | timedelta = "auto",
        segments: str | Iterable[str] | None = None,
    ) -> EventLog:
        """Say what a journey is and what makes it a success.

        Parameters
        ----------
        goal
            Activities that make a journey a success.
        end
            Activities that end a journey without success when they come last.
        start
            Activities that start a journey; journeys without one are left out of end states and chain, and counted.
        idle
            Silence after which a journey is over: "30d", "12h" or "auto".
        segments
            Columns whose values are compared; a journey has the value of its first event.

        Raises
        ------
        OptionError
            A goal, end or start is not an activity of the log.
        LogSchemaError
            A segment is not a column of the log.
        """
        codes = {
            role: activity_codes(self.whole, as_tuple(names, name=role), role)
            for role, names in (("goal", goal), ("end", end), ("start", start))
        }
        chosen = chosen_idle(self.engine, self.whole, idle)
        by_case = self.roles.case_id is not None
        cut = self.whole if by_case else cut_by_silence(self.engine, self.raw, self.whole, chosen)
        found = find_journeys(
            self.engine,
            self.raw,
            cut,
            goal=codes["goal"],
            end=codes["end"],
            start=codes["start"],
            idle=chosen,
            segments=as_tuple(segments, name="segments"),
        )
        return replace(self, cut=cut, found=found)

    def transitions(self, *, wait_share: float = 0.5) -> Transitions:
        """Directly-follows pairs of the whole log.

        Parameters
        ----------
        wait_share
            Which quantile of the waits is estimated: 0.5 for the median, 0.9 for what nine in ten do not exceed.
        """
        from journeymine.paths.transitions import estimate_transitions

        if isinstance(wait_share, bool) or not isinstance(wait_share, (int, float)) or not 0 < wait_share < 1:
            raise OptionError(f"wait_share is {shown(wait_share)}, expected a number between 0 and 1.")
        count_cases = cache(lambda: count_edge_cases(self.engine, self.canonical))
        counts = count_edges(self.engine, self.canonical, wait_share=float(wait_share))
        return estimate_transitions(counts, count_cases)

    def variants(self, top: int = 20) -> Variants:
        """The most frequent activity sequences."""
        from journeymine.paths.variants import estimate_variants

        if isinstance(top, bool) or not isinstance(top, int) or top < 1:
            raise OptionError(f"top is {shown(top)}, expected a whole number from 1.")
        return estimate_variants(count_variants(self.engine, self.canonical, self.found, top))

    def discover(self, noise: float = 0.0, algorithm: Algorithm = "inductive") -> ProcessModel:
        """Discover a process model: tree, Petri net, BPMN, with fitness, precision and coverage.

        Parameters
        ----------
        noise
            Share of rare behaviour that the model may leave out, from 0 (everything fits) to below 1.
        algorithm
            "inductive" (from the directly-follows graph), "inductive_variants" or "heuristics".
        """
        from journeymine.analyses.model import discover

        return discover(self, noise, algorithm)

    def conformance(self, expected: Any = None, *, unexpected: Unexpected = "ignore") -> Conformance:
        """Hold every journey against the designed one: who follows it, and what deviating goes with.

        Parameters
        ----------
        expected
            A BPMN or PTML file, a process tree as text, or a list of activities; default: the order of the stages.
        unexpected
            "ignore" activities outside the design, or "count" them as inserted.
        """
        from journeymine.analyses.conformance import check_conformance

        design = self.expected if expected is None else expected
        return check_conformance(self, design, unexpected=unexpected)

    def map(self, previous: Any = None) -> ProcessMap:
        """The process map: stages, steps, paths, loops and leaving; pass last time's map to keep its places."""
        from journeymine.analyses.process_map import build_map

        return build_map(self, previous)

    def funnel(
        self,
        steps: Sequence[str | Iterable[str]],
        within: str | timedelta | None = None,
        *,
        closed: bool = True,
    ) -> Funnel:
        """How far journeys get along some steps; journeys that are under way are not counted as lost.

        Parameters
        ----------
        steps
            Activities in order; a list of activities is one step that any of them meets.
        within
            Window from the first step on, for example "30d".
        closed
            Whether each step must come after the one before.
        """
        from journeymine.analyses.funnel import funnel

        return funnel(self, steps, within, closed=closed)

    def anchored_paths(
        self,
        anchor: str | Iterable[str],
        steps: int = 5,
        within: str | timedelta | None = None,
        direction: str = "after",
    ) -> AnchoredPaths:
        """What comes after (or before) the first occurrence of an activity, step by step, with the journeys behind."""
        from journeymine.analyses.anchored import anchored_paths

        return anchored_paths(self, anchor, steps, within, direction)

    def first_after(
        self, anchor: str | Iterable[str], target: str | Iterable[str], within: str | timedelta | None = None
    ) -> FirstAfter:
        """From the first occurrence of an activity to the next one of another: how many, and how long."""
        from journeymine.analyses.anchored import first_after

        return first_after(self, anchor, target, within)

    def prefix_tree(self, *, depth: int = 6, top: int = 40) -> PrefixTree:
        """What journeys do first, then, and how often they convert from there."""
        from journeymine.analyses.paths import prefix_tree

        return prefix_tree(self, depth=depth, top=top)

    def motifs(self, *, length: int = 3, top: int = 20) -> Motifs:
        """Frequent repeats, loops and sequences, and how often they end well."""
        from journeymine.analyses.paths import motifs

        return motifs(self, length=length, top=top)

    def match(self, pattern: str) -> PatternMatch:
        """The journeys that match a pattern such as "cart -> not support* -> exit", and how often they convert."""
        from journeymine.analyses.patterns import match

        return match(self, pattern)

    def matching(self, pattern: str) -> EventLog:
        """The log of the journeys that match a pattern; the rows of the others go to the ledger."""
        from journeymine.analyses.patterns import matching

        return matching(self, pattern)

    def friction(self, rules: FrictionRules | None = None, *, seed: int = 0) -> Friction:
        """Where journeys rub: repeats, detours, waits, dead ends, errors, switches of channel, contacts."""
        from journeymine.analyses.friction import find_friction

        return find_friction(self, rules, seed=seed)

    def compare(self, attribute: str, a: Any, b: Any = None) -> Differences:
        """Compare two groups of journeys, or two periods; what is within the noise is marked as such.

        Parameters
        ----------
        attribute
            A column of the source, or "period".
        a, b
            A value or a list of values; pairs of dates for "period". `b` None is everybody else.
        """
        from journeymine.analyses.differences import compare

        return compare(self, attribute, a, b)

    def fit_markov(
        self,
        *,
        order: Order = 1,
        attempts: int = 1,
        elapsed: Iterable[str | timedelta] = (),
        prior: float | Prior = 0.0,
        n_draws: int = N_DRAWS,
        seed: int = 0,
    ) -> MarkovChain:
        """Fit the conversion chain: transition matrix, conversion, visits, time to goal, sensitivities.

        Parameters
        ----------
        order
            Visits that a state knows, its own included; 0: the next step depends on nothing; "auto": the lowest order
            that the data do not speak against; "variable": as far back as each state needs (a context tree).
        attempts
            States carry the attempt number up to this one: with 3, "Pay #1", "Pay #2", "Pay #3+".
        elapsed
            States know the time since the journey began, cut at these times: with ["1d"], "Pay (after 1 d)".
        prior
            Dirichlet pseudo-count of each move that occurs; 0 is maximum likelihood. A `jm.markov.Prior` also says
            which moves cannot occur.
        n_draws
            Bootstrap replicates of customers (or of buckets of customers).
        """
        from journeymine.analyses.chain import fit_markov

        return fit_markov(
            self, order=order, attempts=attempts, elapsed=elapsed, prior=prior, n_draws=n_draws, seed=seed
        )

    def evaluate_predictions(
        self,
        *,
        cut: float | str | datetime = 0.7,
        horizon: str | timedelta | None = None,
        customers: Literal["all", "new"] = "all",
        seed: int = 0,
    ) -> PredictionQuality:
        """Learn from what was known at a time, predict every visit after it, and see what came, beside simple rules.

        Parameters
        ----------
        cut
            The time, or the share of the visits before it.
        horizon
            Judge what happens within this time instead of in the end.
        customers
            "all", or only those who are "new" after the cut.
        """
        from journeymine.analyses.prediction import evaluate_predictions

        return evaluate_predictions(self, cut=cut, horizon=horizon, customers=customers, seed=seed)

    def score(self, horizon: str | timedelta | None = None, *, recalibrate: bool = False) -> pd.DataFrame:
        """The journeys that are open now, each with what is to be expected of it."""
        from journeymine.analyses.prediction import score_open_journeys

        return score_open_journeys(self, horizon=horizon, recalibrate=recalibrate)

    def occupation(
        self, times: Sequence[str | timedelta] | None = None, *, by_stage: bool = False, seed: int = 0
    ) -> JourneyOccupation:
        """Where journeys are a time after their start: in which state, converted, or lost (Aalen-Johansen)."""
        from journeymine.analyses.occupation import occupation

        return occupation(self, times, by_stage=by_stage, seed=seed)

    def rank_fixes(
        self,
        candidates: Literal["auto"] | Sequence[Fix] = "auto",
        outcome: OutcomeName = "conversion",
        heterogeneity: Heterogeneity | None = None,
        causal: Causal = "standardise",
        seed: int = 0,
        *,
        n_draws: int = N_DRAWS,
        value: float | None = None,
        months: float = 12.0,
        budget: float | None = None,
        extra: Sequence[Fix] = (),
        horizon: str | timedelta | None = None,
        registry: str | os.PathLike[str] | None = None,
    ) -> FixRanking:
        """Rank what would move the outcome most, with intervals, evidence and what a decision needs.

        Parameters
        ----------
        candidates
            "auto": what the data suggest (segments, incidents, loops, waits, channels, skipped steps), then every
            activity under the assumption that a fifth of its drop-outs were saved. Or fixes of your own: `jm.Fix`.
        outcome
            "conversion", "revenue" (money per start), or "time" (days of a journey saved per start).
        heterogeneity
            "classes": what-ifs are made inside classes of customers that no segment shows, found in what they did:
            early fixes are then not credited with those who would have gone on anyway.
        causal
            "standardise" (g-formula over the segments), "aipw" (also adjusts what customers choose to meet for their
            history, doubly robust), or "none".
        n_draws
            Bootstrap replicates of customers (or of buckets of customers).
        value
            Worth of a conversion, where the log has no value column; of a day saved, if the outcome is time.
        months
            How long a fix is counted on to work, for net values.
        budget
            What the fixes that are done together may cost.
        extra
            Fixes of your own beside those that the data suggest.
        horizon
            Rank by conversion within this time of the start: "7d".
        registry
            File of past experiments (`journeymine experiment read` writes it): predictions are corrected by them.
        """
        from journeymine.analyses.fixes import FixSettings, rank_fixes

        settings = FixSettings(
            outcome, heterogeneity, causal, n_draws, seed, value, months, budget, horizon, registry
        )
        return rank_fixes(self, candidates, settings, extra)

    def count_chain(self, attempts: int = 1) -> ChainCounts:
        """Counts of the conversion chain."""
        return self._chain_counts if attempts == 1 else self._count_chain(attempts)

    def _count_chain(self, attempts: int) -> ChainCounts:
        journeys = self._journeys("the chain")
        if not journeys.goal:
            hint = 'pass goal="..." to journeys(), or set goal in [journey].'
            raise NotEnoughDataError("no goal is set, so there is no conversion to explain.", hint=hint)
        if attempts == 1:
            return count_chain(self.engine, self.canonical, journeys, self._visits)
        memory = Memory(attempts=attempts)
        return count_with_memory(
            self.engine, self.canonical, journeys, self._visits, self._chain_counts, memory
        )

    @cached_property
    def activity_counts(self) -> ActivityCounts:
        """Events and cases of each activity."""
        return count_activities(self.engine, self.canonical)

    @cached_property
    def graph_counts(self) -> GraphCounts:
        """The directly-follows graph."""
        return count_graph(self.engine, self.canonical)

    @cached_property
    def departure_waits(self) -> list[dict[str, float | int] | None]:
        """Median time until the next event after each activity, by code."""
        from journeymine.paths.transitions import estimate_waits

        counts = count_edges(self.engine, self.canonical, any_target=True)
        waits = estimate_waits(counts)
        found: list[dict[str, float | int] | None] = [None] * len(self.activities)
        for place, code in enumerate(counts.source.tolist()):
            found[code] = waits.at(place) if waits else None
        return found

    @cached_property
    def _chain_counts(self) -> ChainCounts:
        return self._count_chain(1)

    @cached_property
    def _visits(self) -> str:
        return make_visits(self.engine, self.canonical, self._journeys("visits"))

    def _journeys(self, what: str) -> Journeys:
        if self.found is None:
            hint = 'call log = log.journeys(goal="...") first.'
            raise NotEnoughDataError(f"{what}: it is not said yet what a journey is.", hint=hint)
        return self.found

    def to_frame(self) -> pd.DataFrame:
        """Canonical events with ids and names: case_id, customer_id, position, activity, time_us (a copy)."""
        log = self.canonical
        frame = self.engine.fetch_table(
            f"""SELECT i.case_id, c.customer_id, e.position, e.code, e.time_us FROM {log.events} AS e
                JOIN {log.case_ids} AS i ON i.case_key = e.case_key
                JOIN {log.cases} AS c ON c.case_key = e.case_key ORDER BY i.case_id, e.position"""
        ).to_pandas()
        frame.insert(3, "activity", np.asarray(log.activities, dtype=object)[frame["code"].to_numpy()])
        events: pd.DataFrame = frame.drop(columns="code")
        return events

    def check_text(self) -> str:
        """What was read, for `journeymine check`."""
        from journeymine._log_text import check_text

        return check_text(self)

    def __repr__(self) -> str:
        from journeymine._log_text import short_text

        return short_text(self)

    def _repr_html_(self) -> str:
        import html

        return f"<pre>{html.escape(repr(self))}</pre>"


def event_log(
    engine: DuckDBEngine, raw: RawLog, roles: Roles, rules: NameRules, stages: tuple[Any, ...] = ()
) -> EventLog:
    """A log of the usable rows of a raw table."""
    return EventLog(engine, raw, roles, rules, canonicalise(engine, raw, roles, rules), stages=stages)
