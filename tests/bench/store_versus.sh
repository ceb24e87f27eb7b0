#!/bin/sh
# The same machine, recorded at the same time by slowd, atop and pcp: bytes per process-sample of each, all of the
# file counted. Runs in a PID namespace of its own, so what is recorded is a herd and nobody else's load; needs
# root. A tool that is not installed is left out.
#
#   store_versus.sh BENCH_STORE [TICKS [SECONDS [PROCESSES]]]
set -u
bench=${1:?usage: store_versus.sh BENCH_STORE [TICKS [SECONDS [PROCESSES]]]}
ticks=${2:-60} gap=${3:-1} processes=${4:-250}
bench=$(realpath "$bench")

if [ "${STORE_VERSUS_INSIDE:-}" = "" ]; then
        export STORE_VERSUS_INSIDE=1
        exec unshare --pid --fork --kill-child --mount-proc --net sh "$0" "$bench" "$ticks" "$gap" "$processes"
fi

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
atop=
if command -v atop >/dev/null; then
        atop -w "$work/atop.raw" "$gap" "$ticks" >/dev/null 2>&1 &
        atop=$!
fi
pmlogger= pmcd_program=/usr/lib/pcp/bin/pmcd
if command -v pmlogger >/dev/null && [ -x "$pmcd_program" ]; then
        # The seven values of a process that pcp would be asked for; over a local socket, else proc.* is empty.
        printf 'proc 3 pipe binary /var/lib/pcp/pmdas/proc/pmdaproc -d 3\n' >"$work/pmcd.conf"
        metrics='utime stime rss vsize minflt maj_flt threads'
        {
                printf 'log mandatory on %s seconds {' "$gap"
                for metric in $metrics; do printf ' proc.psinfo.%s' "$metric"; done
                printf ' }\n'
        } >"$work/pmlogger.conf"
        ip link set lo up 2>/dev/null
        "$pmcd_program" -f -s "$work/pmcd.sock" -c "$work/pmcd.conf" -l "$work/pmcd.log" &
        sleep 1
        (cd "$work" && exec pmlogger -h "local://$work/pmcd.sock" -c pmlogger.conf -s "$ticks" -l pmlogger.log pcp) &
        pmlogger=$!
fi

"$bench" --ticks "$ticks" --gap $((gap * 1000)) --file "$work/history.slowd" "$processes" >"$work/slowd.out" || exit 1
[ -n "$atop" ] && wait "$atop"
[ -n "$pmlogger" ] && wait "$pmlogger"

cat "$work/slowd.out"
rows=$(sed -n 's/.* ticks of [0-9.]* s in [0-9]* blocks, \([0-9]*\) processes.*/\1/p' "$work/slowd.out")
slowd=$(sed -n 's/.*; \([0-9.]*\) bytes per process-sample.*/\1/p' "$work/slowd.out")
report() { # NAME FILES...
        name=$1
        shift
        bytes=$(cat "$@" 2>/dev/null | wc -c)
        [ "$bytes" -gt 0 ] || return
        awk -v name="$name" -v bytes="$bytes" -v n="$((rows * ticks))" -v slowd="$slowd" 'BEGIN {
                printf "%-6s %10d bytes, %8.3f per process-sample: %.0f times slowd\n", name, bytes, bytes / n,
                       bytes / n / slowd }'
}
report atop "$work/atop.raw"
report pcp "$work/pcp.0" "$work/pcp.index" "$work/pcp.meta"
