#!/bin/sh
# Everything the gates need, n = 10,000; stop it and call it again: it goes on where it was.
# 134 seeds x 3 shapes: 402 null worlds. 45 seeds x 3 scenarios x 3 shapes: 405 logs with classes, 45 a fix, 135 a shape.
set -eu
out=${1:-out/bench}
run() { journeymine bench fixes --n 10000 --out "$out" -q "$@"; }
run --scenarios null --seeds 134 --ranker journeymine
run --scenarios 1 2 3 --seeds 45 --ranker journeymine journeymine_classes
run --scenarios 4 5 --seeds 20 --ranker journeymine journeymine_classes
run --scenarios 6 7 8 11 13 15 16 --seeds 20 --ranker journeymine
# The habits; the page shows all of the above.
journeymine bench fixes --n 10000 --seeds 20 --out "$out"
