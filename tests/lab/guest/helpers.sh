# What the scripts of a scenario can use. They are run by bash in the guest, as root, in /opt/lab/scenarios/NAME, with
#   INTENSITY   about 1 (0.8 to 1.25 by the seed): how much of the fault to make, see `scaled`
#   SEED        a small number
#   CPUS        of the guest
# Faults are started with `unit` or `program`, so that they do not run in the lab's own control group, and go on after
# the script has ended. /srv is a disk of its own (vdb), as slow as an old notebook's: 300 requests and 30 MB a second.
# shellcheck shell=bash
set -u
export PATH=/opt/lab/bin:$PATH LC_ALL=C.UTF-8
export CPUS
CPUS=$(nproc)

# unit NAME [SYSTEMD-RUN-OPTION...] -- COMMAND...: a service NAME.service of its own.
unit() {
        local name=$1 options=()
        shift
        while [[ $1 != -- ]]; do options+=("$1") && shift; done
        shift
        systemctl reset-failed "$name" 2>/dev/null || true
        systemd-run --quiet --collect --unit="$name" "${options[@]}" -- "$@"
}

# scaled NUMBER: times the intensity, a whole number, at least 1.
scaled() {
        awk -v n="$1" -v i="${INTENSITY:-1}" 'BEGIN { v = int(n * i + 0.5); print v < 1 ? 1 : v }'
}

# slowed PROBES FACTOR [SECONDS]: the median wait of one of them over the last SECONDS (10) is FACTOR times the usual.
slowed() {
        local one now usual
        probe-all "${3:-10}" >/run/lab/now
        for one in $1; do
                now=$(counter /run/lab/now "$one")
                usual=$(counter /run/lab/usual "$one")
                echo "$one: $now us, usually $usual us"
                awk -v n="$now" -v u="$usual" -v f="$2" 'BEGIN { exit !(n > 0 && u > 0 && n >= f * u) }' && return 0
        done
        return 1
}

# unhurt PROBE FACTOR [SECONDS]: the opposite, for what looks like a fault and is none.
unhurt() {
        ! slowed "$@"
}

# pressure KIND some|full: permille of the next SECONDS (5) that somebody stood still.
pressure() {
        local before after
        before=$(sed -n "s/^$2 .*total=//p" "/proc/pressure/$1")
        sleep "${3:-5}"
        after=$(sed -n "s/^$2 .*total=//p" "/proc/pressure/$1")
        echo $(((after - before) / 1000 / ${3:-5}))
}

# at_least WHAT VALUE MINIMUM: says both, and is true if it is.
at_least() {
        echo "$1: $2 (at least $3)"
        awk -v v="$2" -v m="$3" 'BEGIN { exit !(v >= m) }'
}

# counter FILE KEY: the value after KEY in a file of "key value" lines; rate FILE KEY [SECONDS]: a second.
counter() {
        awk -v k="$2" '$1 == k { print $2 }' "$1"
}
rate() {
        local before after
        before=$(counter "$1" "$2")
        sleep "${3:-5}"
        after=$(counter "$1" "$2")
        echo $(((after - before) / ${3:-5}))
}
