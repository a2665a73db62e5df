"""The public benchmark of rankers of fixes: worlds whose truth is known, habits to compare with, gates to pass.

`journeymine bench fixes` runs it; `docs/how-to/benchmark_your_ranker.md` says how to enter a ranker of one's own.
"""
