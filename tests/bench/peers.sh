#!/bin/bash
# slowd beside its peers, in one run on one machine: CPU per sample (ms), ratio to slowd, resident memory.
#   tests/bench/peers.sh [--build DIR] [--interval SECONDS] [--samples N] [--warm SECONDS] PROCESSES...
# Peers: atop -w, pidstat -p ALL -urd, pmlogger with process metrics (with pmcd and its agents); those that are not
# installed are left out. CPU is the kernel's count in ns (schedstat of every thread), not ticks. Each is warmed
# up first, and all are given the same interval; slowd's own default is 5 s.
set -uo pipefail

BUILD=build INTERVAL=1 SAMPLES=10 WARM=
while [[ ${1-} == --* ]]; do
        case $1 in
        --build) BUILD=$2 ;;
        --interval) INTERVAL=$2 ;;
        --samples) SAMPLES=$2 ;;
        --warm) WARM=$2 ;;
        *)
                echo "peers.sh: unknown option $1" >&2
                exit 2
                ;;
        esac
        shift 2
done
[[ $# -gt 0 ]] || {
        echo "usage: peers.sh [--build DIR] [--interval SECONDS] [--samples N] [--warm SECONDS] PROCESSES..." >&2
        exit 2
}
SLOWD=$BUILD/daemon/slowd HERD=$BUILD/tests/bench/bench_herd
[[ -x $SLOWD && -x $HERD ]] || {
        echo "peers.sh: $SLOWD or $HERD is not built" >&2
        exit 1
}

TEMPORARY=$(mktemp -d /tmp/slowd-peers-XXXXXX)
STARTED=() HERD_IN=
cleanup() {
        [[ ${#STARTED[@]} -eq 0 ]] || kill "${STARTED[@]}" 2>/dev/null
        [[ -z $HERD_IN ]] || exec {HERD_IN}>&- # the herd ends with it, and takes its members along
        wait 2>/dev/null
        rm -rf "$TEMPORARY"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# family PID...: these and all their descendants
family() {
        ps -e -o pid=,ppid= | awk -v roots="$*" '
                BEGIN { n = split(roots, r, " "); for (i = 1; i <= n; i++) in_it[r[i]] = 1 }
                { pid[NR] = $1; parent[NR] = $2 }
                END {
                        do {
                                grown = 0
                                for (i = 1; i <= NR; i++)
                                        if (!(pid[i] in in_it) && (parent[i] in in_it)) { in_it[pid[i]] = 1; grown = 1 }
                        } while (grown)
                        for (p in in_it) print p
                }'
}

cpu_nsec() { # PID...
        local pid
        for pid in "$@"; do
                cat "/proc/$pid"/task/*/schedstat 2>/dev/null
        done | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

rss_kib() { # PID...
        local pid
        for pid in "$@"; do
                awk '/^VmRSS:/ { print $2 }' "/proc/$pid/status" 2>/dev/null
        done | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

sum_seconds() { awk -v a="$1" -v b="$2" 'BEGIN { print a * b }'; }

# row NAME PID...: measures what runs, prints a line. The first one is what the others are compared with.
REFERENCE=
row() {
        local name=$1 before after pids rss
        shift
        sleep "${WARM:-$(awk -v i="$INTERVAL" 'BEGIN { print (i * 4 < 5) ? 5 : i * 4 }')}"
        mapfile -t pids < <(family "$@")
        if ! kill -0 "$1" 2>/dev/null; then
                printf '  %-28s did not run: %s\n' "$name" "$(tail -n 1 "$TEMPORARY/log" 2>/dev/null)"
                return 1
        fi
        before=$(cpu_nsec "${pids[@]}")
        sleep "$(sum_seconds "$INTERVAL" "$SAMPLES")"
        after=$(cpu_nsec "${pids[@]}")
        rss=$(rss_kib "${pids[@]}")
        awk -v name="$name" -v spent=$((after - before)) -v n="$SAMPLES" -v rss="$rss" -v reference="$REFERENCE" 'BEGIN {
                ms = spent / 1e6 / n
                printf "  %-28s %9.2f ms %8.1f MB", name, ms, rss / 1024
                if (reference > 0) printf " %7.1f x", ms / reference
                print "" }'
        [[ -n $REFERENCE ]] || REFERENCE=$(awk -v spent=$((after - before)) -v n="$SAMPLES" 'BEGIN { print spent / 1e6 / n }')
}

stop() {
        local pid
        kill "${STARTED[@]}" 2>/dev/null
        for pid in "${STARTED[@]}"; do
                wait "$pid" 2>/dev/null
        done
        STARTED=()
}

# start COMMAND...: in the background
start() {
        "$@" </dev/null >"$TEMPORARY/log" 2>&1 {HERD_IN}>&- &
        STARTED+=($!)
}

peer_slowd() {
        mkdir -p "$TEMPORARY/state"
        start "$SLOWD" --interval="$INTERVAL" --socket="$TEMPORARY/socket" --state-directory="$TEMPORARY/state"
        row "slowd" "${STARTED[0]}"
        stop
}

# atop takes whole seconds
peer_atop() {
        command -v atop >/dev/null || return 0
        start atop -w "$TEMPORARY/atop" "${INTERVAL%%.*}" 100000
        row "atop -w" "${STARTED[0]}"
        stop
}

peer_pidstat() {
        command -v pidstat >/dev/null || return 0
        start pidstat -p ALL -u -r -d "${INTERVAL%%.*}"
        row "pidstat -p ALL -urd" "${STARTED[0]}"
        stop
}

# A collector of our own, with the process metrics that slowd reads too, on a socket of its own.
peer_pcp() {
        local agents=/var/lib/pcp/pmdas pmcd
        for pmcd in "$(command -v pmcd)" /usr/lib/pcp/bin/pmcd /usr/libexec/pcp/bin/pmcd ""; do
                [[ ! -x $pmcd ]] || break
        done
        command -v pmlogger >/dev/null && [[ -n $pmcd && -x $agents/proc/pmdaproc ]] || return 0
        rm -rf "$TEMPORARY/pcp"
        mkdir "$TEMPORARY/pcp"
        cat >"$TEMPORARY/pcp/pmcd.conf" <<END
root 1 pipe binary $agents/root/pmdaroot
proc 3 pipe binary $agents/proc/pmdaproc -d 3
linux 60 pipe binary $agents/linux/pmdalinux
END
        cat >"$TEMPORARY/pcp/pmlogger.conf" <<END
log mandatory on $INTERVAL sec {
        proc.psinfo.utime
        proc.psinfo.stime
        proc.psinfo.rss
        proc.psinfo.maj_flt
        proc.io.read_bytes
        proc.io.write_bytes
        proc.schedstat.run_delay
}
END
        # The names of metrics are made at installation; where that did not run, make them here.
        if [[ ! -e /var/lib/pcp/pmns/root && -x /var/lib/pcp/pmns/Rebuild ]]; then
                (cd /var/lib/pcp/pmns && ./Rebuild -s) >/dev/null 2>&1
        fi
        export PMCD_SOCKET=$TEMPORARY/pcp/socket PMCD_PORT=44399 PCP_RUN_DIR=$TEMPORARY/pcp PCP_LOG_DIR=$TEMPORARY/pcp
        start "$pmcd" -f -A -l "$TEMPORARY/pcp/pmcd.log" -c "$TEMPORARY/pcp/pmcd.conf" -s "$PMCD_SOCKET" -i 127.0.0.1 -p "$PMCD_PORT"
        sleep 3
        start pmlogger -h "local:/$PMCD_SOCKET" -c "$TEMPORARY/pcp/pmlogger.conf" -t "$INTERVAL" -l "$TEMPORARY/pcp/log" "$TEMPORARY/pcp/archive"
        sleep 2
        if ! kill -0 "${STARTED[1]}" 2>/dev/null; then
                printf '  %-28s did not run: %s\n' "pmcd, pmlogger" "$(cat "$TEMPORARY/pcp/log" "$TEMPORARY/log" 2>/dev/null | grep . | tail -n 1)"
        else
                row "pmcd, pmlogger" "${STARTED[@]}"
        fi
        stop
        unset PMCD_SOCKET PMCD_PORT PCP_RUN_DIR PCP_LOG_DIR
}

[[ $(cut -d" " -f1 "/proc/$$/schedstat") != 0 ]] || {
        echo "peers.sh: this kernel does not count run time in schedstat" >&2
        exit 77
}
ulimit -n "$(ulimit -Hn)"
for count in "$@"; do
        REFERENCE=
        : >"$TEMPORARY/herd"
        mkfifo "$TEMPORARY/in-$count"
        exec {HERD_IN}<>"$TEMPORARY/in-$count"
        "$HERD" "$count" <"$TEMPORARY/in-$count" {HERD_IN}>&- >"$TEMPORARY/herd" 2>&1 &
        herd=$!
        until [[ -s $TEMPORARY/herd ]]; do sleep 0.2; done
        [[ $(<"$TEMPORARY/herd") == ready ]] || {
                cat "$TEMPORARY/herd" >&2
                exit 1
        }
        printf '%d processes, a sample every %s s, mean of %d\n' "$(ps -e --no-headers | wc -l)" "$INTERVAL" "$SAMPLES"
        printf '  %-28s %12s %11s %9s\n' "" "CPU/sample" "resident" "to slowd"
        peer_slowd
        peer_atop
        peer_pidstat
        peer_pcp
        exec {HERD_IN}>&-
        HERD_IN=
        wait "$herd"
done
