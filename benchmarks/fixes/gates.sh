#!/bin/sh
# Everything the gates need, n = 10,000; stop it and call it again: it goes on where it was.
# 22 seeds x 3 scenarios x 3 shapes > 200 (log, fix) pairs a shape and > 30 logs a fix need 34; 45 give 400 logs with classes;
# 134 seeds x 3 shapes give 400 null worlds.
set -eu
out=${1:-out/bench}
run() { journeymine bench fixes --n 10000 --out "$out" -q "$@"; }
run --scenarios null --seeds 134 --ranker journeymine
run --scenarios 1 2 3 --seeds 45 --ranker journeymine journeymine_classes
run --scenarios 4 5 --seeds 20 --ranker journeymine journeymine_classes
run --scenarios 6 7 8 11 13 15 16 --seeds 20 --ranker journeymine
# The page on all of it, habits included.
journeymine bench fixes --n 10000 --seeds 20 --out "$out"
