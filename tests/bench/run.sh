#!/bin/bash
# All benchmarks, at the sizes that the README quotes. About 25 minutes. tests/bench/run.sh [BUILD-DIRECTORY]
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
build=${1:-build}

printf '== the process source beside a plain loop over /proc/PID/stat (CPU time of one tick)\n'
"$build/tests/bench/bench_sample" --rounds 7 200 2000 10000
printf '== slowd beside its peers, at an interval of 1 s\n'
tests/bench/peers.sh --build "$build" --interval 1 --samples 10 230 2000 10000
printf '== slowd at its own interval of 5 s\n'
tests/bench/peers.sh --build "$build" --interval 5 --samples 6 230
printf '== all of slowd at its own interval, scans averaged in, against its budget\n'
tests/bench/budget.py --build "$build" --interval 5 --warm 60 --seconds 300
printf '== its memory after 12 minutes at an interval of 1 s\n'
tests/bench/budget.py --build "$build" --interval 1 --warm 60 --seconds 660
