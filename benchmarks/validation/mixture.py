"""Do mixtures of chains find the classes that are there, none where there are none, and better effects of fixes?

    python benchmarks/validation/mixture.py recover --logs 40            three planted classes, 10,000 journeys
    python benchmarks/validation/mixture.py null --logs 400              one class: how often is more reported?
    python benchmarks/validation/mixture.py effects --logs 20 --simulator fix_ranking_sim.py
    python benchmarks/validation/mixture.py null --simulator fix_ranking_sim.py --worlds ABC --logs 400
    python benchmarks/validation/mixture.py scale --journeys 1000000     time and memory of personas

`recover`: adjusted Rand index with the planted classes, beside that of the true parameters, and how often the
intervals of the classes' shares and conversions hold the truth. `null`: worlds without classes, small and large,
with several journeys a customer, with ends that were not seen, with segments that differ. `effects`: predicted over
true effect of drop-out fixes in the worlds of a simulator with exact truth (`--simulator`, a file with the functions
`types`, `chain`, `truth`, `apply_fix`, `conv` and the table `SC`), with and without classes, and the coverage of the
intervals. One line a log, then a summary. `--first-seed` continues an earlier run.
"""

from __future__ import annotations

import argparse
import importlib.util
import resource
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.sequences import OPEN, SequenceCounts
from journeymine.fixes.candidates import Candidate, ScopedDrops
from journeymine.fixes.classes import find_classes
from journeymine.fixes.what_if.what_if import WhatIf
from journeymine.markov.absorbing import absorb
from journeymine.markov.classes.class_number import choose_by_bic
from journeymine.markov.classes.mixture_em import MixtureModel
from journeymine.markov.classes.mixture_members import member_table
from journeymine.markov.classes.persona_draws import adjusted_rand
from journeymine.markov.classes.personas import find_personas
from journeymine.markov.lists import chain_of_sequences
from journeymine.uncertainty import percentile_interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LEVEL_WANTED = 371 / 400
SAVED = 0.2


# ------------------------------------------------------------------------------------------------------ worlds


def walk(
    matrices: Floats, starts: Floats, kind: Ints, rng: np.random.Generator, cut: float = 0.0
) -> tuple[Ints, Ints, Ints]:
    """Sequence and state of every visit, and what ended each sequence; a share `cut` of the visits ends unseen."""
    k, n = matrices.shape[1], len(kind)
    upto, begin = matrices.cumsum(axis=2), starts.cumsum(axis=1)
    state = np.minimum((begin[kind] < rng.random(n)[:, None]).sum(axis=1), k)
    last = np.where(state == k, GOAL, OPEN)
    alive = np.flatnonzero(state < k)
    of, code = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    while len(alive):
        of.append(alive)
        code.append(state[alive])
        below = upto[kind[alive], state[alive]] < rng.random(len(alive))[:, None]
        target = np.minimum(below.sum(axis=1), k + 1)
        unseen = rng.random(len(alive)) < cut
        last[alive] = np.where(unseen, OPEN, np.where(target == k, GOAL, np.where(target > k, DROP, OPEN)))
        state[alive] = target
        alive = alive[(target < k) & ~unseen]
    return np.concatenate(of), np.concatenate(code), last


def sequences_of(
    visits: tuple[Ints, Ints, Ints], k: int, cell: Ints, n_cells: int, unit: Ints | None = None
) -> SequenceCounts:
    """Journeys as sequences, each by itself."""
    of, code, last = visits
    n = len(last)
    order = np.argsort(of, kind="stable")
    length = np.bincount(of, minlength=n).astype(np.int64)
    unit = np.arange(n) if unit is None else unit
    return SequenceCounts(
        states=tuple(f"S{i:02d}" for i in range(k)),
        code=code[order],
        begin=np.concatenate([[0], np.cumsum(length)]).astype(np.int64),
        last=last,
        unit=unit,
        cell=cell,
        n=np.ones(n, np.int64),
        cells=tuple((f"v{c}",) for c in range(n_cells)),
        n_units=int(unit.max()) + 1,
    )


def random_chain(k: int, rng: np.random.Generator, exits: float = 0.25) -> Floats:
    """Rows with about five ways on, and a share of `exits` that is over."""
    moves = rng.dirichlet(np.full(k, 0.7), k) * (1 - exits)
    ends = rng.dirichlet([1.0, 2.0], k) * exits
    return np.concatenate([moves, ends], axis=1)


def planted(seed: int, n: int) -> tuple[SequenceCounts, Ints, Floats, Floats, Floats]:
    """Three classes on eight states: journeys, class of each, shares, matrices, starts."""
    rng = np.random.default_rng([seed, 3])
    k, shares = 8, np.array([0.5, 0.3, 0.2])
    shape = np.random.default_rng(2026)
    base = random_chain(k, shape)
    matrices = np.stack([0.35 * base + 0.65 * random_chain(k, shape) for _ in shares])
    starts = np.stack([np.append(0.5 * shape.dirichlet(np.ones(k)) + 0.5 / k, 0.0) for _ in shares])
    kind = rng.choice(3, n, p=shares)
    visits = walk(matrices, starts, kind, rng)
    return sequences_of(visits, k, np.zeros(n, np.int64), 1), kind, shares, matrices, starts


def homogeneous(seed: int, n: int) -> tuple[str, SequenceCounts]:
    """One of five worlds without classes, in turn."""
    rng = np.random.default_rng([seed, 5])
    name = ("three states", "ten states", "customers", "unseen ends", "segments")[seed % 5]
    k = 3 if name == "three states" else 10 if name == "ten states" else 5
    n_cells = 12 if name == "segments" else 2
    matrices = np.stack([random_chain(k, rng, rng.uniform(0.15, 0.5)) for _ in range(n_cells)])
    starts = np.concatenate([rng.dirichlet(np.ones(k), n_cells), np.zeros((n_cells, 1))], axis=1)
    if name != "segments":
        matrices[:], starts[:] = matrices[0], starts[0]
    cell = rng.choice(n_cells, n, p=rng.dirichlet(np.full(n_cells, 3.0)))
    unit = None
    if name == "customers":
        unit = np.cumsum(rng.random(n) < 0.4)
        unit -= unit[0]
        cell = rng.choice(n_cells, int(unit[-1]) + 1)[unit]
    visits = walk(matrices, starts, cell, rng, 0.15 if name == "unseen ends" else 0.0)
    return name, sequences_of(visits, k, cell, n_cells, unit)


class Simulator:
    """The worlds of a simulator with exact truth of every fix, as sequences."""

    def __init__(self, path: str) -> None:
        spec = importlib.util.spec_from_file_location("simulator", path)
        assert spec is not None
        assert spec.loader is not None
        self.module: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        self.k = len(self.module.TR)

    def sequences(self, name: str, seed: int, n: int) -> SequenceCounts:
        """A log of one world; its segments are the cells."""
        rng = np.random.default_rng([seed, ord(name[0])])
        settings = self.module.SC[name]
        intent, segment = self.module.types(settings)
        kind = rng.integers(0, len(intent), n)
        pairs = zip(intent, segment, strict=True)
        matrices = np.stack([self.module.chain(settings, u, x)[: self.k] for u, x in pairs])
        starts = np.zeros((len(intent), self.k + 1))
        starts[:, 0] = 1.0
        return sequences_of(walk(matrices, starts, kind, rng), self.k, segment[kind].astype(np.int64), 2)

    def truth(self, name: str) -> Floats:
        """Gain when a fifth of the drop-outs at each state is saved, averaged over the types."""
        settings, k = self.module.SC[name], self.k
        gains = np.zeros(k)
        pairs = list(zip(*self.module.types(settings), strict=True))
        for u, x in pairs:
            chain = self.module.chain(settings, u, x)
            now = self.module.conv(chain, k, k)
            for state in range(k):
                better = chain.copy()
                better[state] = self.module.shrink(chain[state], k + 1, 1 - SAVED)
                gains[state] += (self.module.conv(better, k, k) - now) / len(pairs)
        return gains

    def fixes(self, name: str, matrices: list[tuple[float, Floats]]) -> Floats:
        """Predicted gain of the simulator's own fixes but the wait, from weighted chains."""
        gains = np.zeros(len(self.module.FIX))
        for share, moves in matrices:
            full = np.zeros((self.k + 2, self.k + 2))
            full[: self.k] = moves
            now = self.module.conv(full, self.k, self.k)
            for fix in range(len(gains)):
                if fix != 1:
                    after = self.module.conv(self.module.apply_fix(full, fix), self.k, self.k)
                    gains[fix] += share * (after - now)
        return gains


# ---------------------------------------------------------------------------------------------------- questions


def recover(seed: int, n: int) -> dict[str, object]:
    """One world of three classes."""
    sequences, kind, shares, matrices, starts = planted(seed, n)
    found = find_personas(sequences, seed=seed)
    probability = found.assign()
    ones = np.ones(n)
    table = member_table(sequences)
    k = sequences.n_states
    full = np.concatenate([matrices, np.zeros((3, 1, k + 2))], axis=1)
    full[:, k, : k + 1] = starts
    log_moves = np.log(np.maximum(full[:, table.edges[:, 0], table.edges[:, 1]], 1e-300)).T[None]
    true, _ = MixtureModel(table.members).expect(log_moves, np.log(shares)[None])
    row: dict[str, object] = {
        "seed": seed,
        "k": found.k,
        "ari": adjusted_rand(kind, probability.argmax(axis=1), ones),
        "ari_true_parameters": adjusted_rand(kind, true[table.kind].argmax(axis=1), ones),
        "stability": None if found.stability is None else float(found.stability.estimate),
    }
    if found.k == 3:
        conversion = absorb(matrices[..., :k], matrices[..., k], starts[:, :k]).conversion
        # Each persona is compared with the class it shares most members with.
        twin = np.array([np.bincount(kind, probability[:, j], 3).argmax() for j in range(3)])
        row["share_held"] = np.mean(
            [_holds(p.size, shares[c]) for p, c in zip(found.personas, twin, strict=True)]
        )
        row["conversion_held"] = np.mean(
            [_holds(p.conversion, conversion[c]) for p, c in zip(found.personas, twin, strict=True)]
        )
    return row


def _holds(value: Any, truth: float) -> bool:
    return bool(value.lower <= truth <= value.upper)


def null(seed: int, n: int, simulator: Simulator | None, worlds: str) -> dict[str, object]:
    """One world without classes, for both uses."""
    if simulator is None:
        name, sequences = homogeneous(seed, n)
    else:
        names = [name for name in simulator.module.SC if name[0] in worlds]
        name = names[seed % len(names)]
        sequences = simulator.sequences(name, seed, n)
    classes = find_classes(sequences, chain_of_sequences(sequences), seed=seed)
    pooled = sequences if name not in ("segments",) and not name.startswith("B") else None
    by_bic = None if pooled is None else choose_by_bic(member_table(pooled), 3, seed=seed).n_classes
    return {
        "seed": seed,
        "world": name,
        "classes": int(classes.n_classes.max()),
        "personas": by_bic,
    }


def effects(
    seed: int, n: int, simulator: Simulator, name: str, truth: Floats, n_draws: int
) -> dict[str, Any]:
    """Effects of saving a fifth of each state's drop-outs, with and without classes, in one log."""
    sequences = simulator.sequences(name, seed, n)
    counts = chain_of_sequences(sequences)
    candidates = [assumed(sequences, state) for state in range(simulator.k)]
    classes = find_classes(sequences, counts, seed=seed)
    row: dict[str, Any] = {"n_classes": tuple(classes.n_classes.tolist())}
    for label, used in (("plain", None), ("classes", classes)):
        found = WhatIf(counts, counts, candidates, classes=used).estimate(n_draws=n_draws, seed=seed)
        interval = percentile_interval(found.effect, found.effect_draws, n)
        row[label] = found.effect / truth
        row[f"{label} held"] = (interval.lower <= truth) & (truth <= interval.upper)
    row["fixes plain"] = simulator.fixes(name, chains(sequences, None))
    row["fixes classes"] = simulator.fixes(name, chains(sequences, classes))
    return row


def chains(sequences: SequenceCounts, classes: Any) -> list[tuple[float, Floats]]:
    """Share and matrix of every segment, or of every class in it."""
    k, found = sequences.n_states, []
    for cell in range(len(sequences.cells)):
        here = sequences.take(sequences.cell == cell)
        share = here.n.sum() / sequences.n.sum()
        group = None
        if classes is not None:
            group = next(g for g in classes.groups if cell in g.cells)
        if group is None or group.chosen.n_classes == 1:
            moves = np.zeros((k, k + 2))
            column = here.column(here.target)
            np.add.at(moves, (here.code, np.maximum(column, 0)), (column >= 0).astype(float))
            found.append((share, moves / np.maximum(moves.sum(axis=1, keepdims=True), 1.0)))
            continue
        at = int(np.searchsorted(group.cells, cell))
        fit, edges = group.chosen.fit, group.table.edges
        inside = edges[:, 0] < k
        for j in range(fit.n_classes):
            moves = np.zeros((k, k + 2))
            moves[edges[inside, 0], edges[inside, 1]] = np.exp(fit.log_moves[at, inside, j])
            found.append((share * float(np.exp(fit.log_shares[at, j])), moves))
    return found


def assumed(sequences: SequenceCounts, state: int) -> Candidate:
    """The candidate that saves a fifth of a state's drop-outs."""
    here = (sequences.code == state) & (sequences.column(sequences.target) >= 0)
    of = sequences.of_visit[here]
    n = sequences.n[of].astype(float)
    drops = n * (sequences.target[here] == DROP)
    scope = ScopedDrops(sequences.unit[of], sequences.cell[of], np.zeros(len(of), np.int64), n, n, drops)
    return Candidate(state, "assumed", scope, scope)


def scale(n: int, k: int) -> None:
    """Time and memory of personas in a large log of 200 buckets."""
    rng = np.random.default_rng(1)
    shape = np.random.default_rng(2026)
    matrices = np.stack([random_chain(k, shape, 0.22) for _ in range(3)])
    starts = np.concatenate([shape.dirichlet(np.ones(k), 3), np.zeros((3, 1))], axis=1)
    kind = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    made = sequences_of(
        walk(matrices, starts, kind, rng), k, np.zeros(n, np.int64), 1, rng.integers(0, 200, n)
    )
    import dataclasses

    buckets = dataclasses.replace(made, buckets=True)
    begun, cpu = time.perf_counter(), time.process_time()
    found = find_personas(buckets)
    print(found)
    took, cpu = time.perf_counter() - begun, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(
        f"{n:,} journeys, {k} states, {len(found.table.members.n):,} kinds, {len(made.code):,} visits: "
        f"{took:.0f} s ({cpu:.0f} s of CPU), {found.n_draws} draws, at most {memory:.1f} GB"
    )


# ------------------------------------------------------------------------------------------------------ tables


def run(question: Callable[[int], dict[str, Any]], first: int, logs: int) -> list[dict[str, Any]]:
    """One row a log."""
    rows = []
    for seed in range(first, first + logs):
        rows.append(question(seed))
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    """Read the arguments, run, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("question", choices=["recover", "null", "effects", "scale"])
    parser.add_argument("--logs", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--journeys", type=int, default=10_000)
    parser.add_argument("--simulator")
    parser.add_argument("--worlds", default="ABCDE")
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--states", type=int, default=26)
    options = parser.parse_args()
    began, n = time.perf_counter(), options.journeys
    simulator = Simulator(options.simulator) if options.simulator else None
    if options.question == "scale":
        scale(n, options.states)
    elif options.question == "recover":
        summary_of_recover(run(lambda seed: recover(seed, n), options.first_seed, options.logs))
    elif options.question == "null":
        rows = run(lambda seed: null(seed, n, simulator, options.worlds), options.first_seed, options.logs)
        summary_of_null(rows)
    else:
        if simulator is None:
            parser.error("effects needs --simulator")
        for name in simulator.module.SC:
            if name[0] in options.worlds:
                truth = simulator.truth(name)
                rows = [
                    effects(seed, n, simulator, name, truth, options.draws)
                    for seed in range(options.first_seed, options.first_seed + options.logs)
                ]
                summary_of_effects(name, simulator, rows)
    print(f"{time.perf_counter() - began:.0f} s")


def summary_of_recover(rows: list[dict[str, Any]]) -> None:
    """Print what became of the planted classes."""
    print("classes found:", dict(Counter(row["k"] for row in rows)))
    gap = np.array([row["ari_true_parameters"] - row["ari"] for row in rows])
    print(f"ARI of the true parameters minus ARI: mean {gap.mean():.4f}, largest {gap.max():.4f}")
    for name in ("share_held", "conversion_held"):
        held = [row[name] for row in rows if name in row]
        if held:
            print(f"{name}: {np.mean(held):.3f} of {3 * len(held)} intervals")


def summary_of_null(rows: list[dict[str, Any]]) -> None:
    """Print how often more than one class was reported."""
    for use in ("classes", "personas"):
        judged = [row for row in rows if row[use] is not None]
        one = sum(row[use] == 1 for row in judged)
        wanted = int(np.ceil(LEVEL_WANTED * len(judged)))
        print(f"{use}: one class in {one} of {len(judged)} logs (wanted: {wanted})")
        wrong = Counter(row["world"] for row in judged if row[use] > 1)
        print(f"  more than one in: {dict(wrong)}")


def summary_of_effects(name: str, simulator: Simulator, rows: list[dict[str, Any]]) -> None:
    """Print predicted over true effects and coverage of one world."""
    print(f"\n{name}: classes by segment {dict(Counter(row['n_classes'] for row in rows))}")
    _, lifts = simulator.module.truth(simulator.module.SC[name])
    chosen = [i for i in range(len(lifts)) if i != 1]
    for label in ("plain", "classes"):
        ratio = np.mean([row[f"fixes {label}"] for row in rows], axis=0) / lifts
        print(f"  the simulator's fixes but the wait, {label:8s}", ratio[chosen].round(2).tolist())
    print("  a fifth saved at", simulator.module.TR)
    for label in ("plain", "classes"):
        print(f"  predicted/true {label:8s}", np.mean([row[label] for row in rows], axis=0).round(2).tolist())
        held = np.mean([row[f"{label} held"] for row in rows], axis=0)
        print(f"  coverage       {label:8s}", held.round(2).tolist(), f"mean {held.mean():.3f}")


if __name__ == "__main__":
    main()
