#!/bin/bash
# Builds slowd from this source tree and installs it, with its user, units, catalog and manual; then starts it and
# shows what it says. Run again it upgrades in place; --uninstall takes everything away.
set -euo pipefail

SOURCE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
PREFIX=/usr
STATE=/var/lib/slowd
RUN=/run/slowd
RECORD=
CONFIGURATION=/etc/slowd
PID_FILE=$RUN/slowd.pid
DAEMON_LOG=$RUN/slowd.log
LOG=/var/log/slowd-install.log
BUILD_NEEDS=(gcc libc6-dev cmake ninja-build pkg-config libuv1-dev libjson-c-dev libsystemd-dev libinih-dev
        libsmartcols-dev libsqlite3-dev libzstd-dev scdoc gzip)

STEP=start
ACTION=install
PURGE=no
BUILD=

usage() {
        cat <<EOF
usage: $0 [--prefix=DIR]         build, install, start (DIR: /usr)
       $0 --uninstall [--purge]  stop and remove; --purge: what slowd has recorded and configured, too
       $0 --build-needs          print the packages that a build needs
EOF
}

say() {
        printf '%s\n' "$*"
}

clean_up() {
        [[ -z $BUILD ]] || rm -rf "$BUILD"
}

fail() {
        trap - EXIT
        clean_up
        printf 'install.sh: FAILED at "%s": %s\n' "$STEP" "$*" >&2
        exit 1
}

on_exit() {
        local status=$?
        clean_up
        ((status == 0)) || fail "see the end of $LOG: $(grep -aE 'error|Error|E:|cannot|No such' "$LOG" 2>/dev/null |
                tail -n 1 | cut -c1-200)"
}

# Runs a command with its output in the log only.
quietly() {
        printf '+ %s\n' "$*" >>"$LOG"
        "$@" >>"$LOG" 2>&1 </dev/null
}

step() {
        STEP=$1
        say "slowd: $1"
        printf '== %s\n' "$1" >>"$LOG"
}

# What was installed, one path a line, and beside it the configuration as it was installed. Root's own directory:
# what stands in it is removed by root.
set_record() {
        RECORD=$PREFIX/share/slowd/installed
}

have_systemd() {
        [[ -d /run/systemd/system ]]
}

# ---- build

install_build_needs() {
        command -v dpkg-query apt-get >/dev/null || fail "this machine has no apt; see README.md for a build by hand"
        ! dpkg-query -S "$PREFIX/sbin/slowd" >/dev/null 2>&1 ||
                fail "slowd is installed as a package here; apt-get remove slowd first"
        local missing=() package
        for package in "${BUILD_NEEDS[@]}"; do
                dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
        done
        ((${#missing[@]})) || return 0
        step "installing ${#missing[@]} packages that the build needs"
        export DEBIAN_FRONTEND=noninteractive
        quietly apt-get update || fail "apt-get update, see $LOG"
        quietly apt-get install -y --no-install-recommends "${missing[@]}" ||
                fail "apt-get install ${missing[*]}, see $LOG"
}

build() {
        step "building"
        # Outside the tree: a checkout that is read-only or holds a build of another kind does as well.
        BUILD=$(mktemp -d /var/tmp/slowd-build.XXXXXX)
        quietly cmake -S "$SOURCE" -B "$BUILD" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSLOWD_TESTS=OFF \
                -DCMAKE_INSTALL_PREFIX="$PREFIX" || fail "cmake, see $LOG"
        quietly cmake --build "$BUILD" || fail "compiling, see $LOG"
}

# ---- files

# An edited slowd.conf is kept, and the new one laid beside it; all else is replaced.
install_file() {
        local stage=$1 path=$2 to=$2
        printf '%s\n' "$path" >>"$RECORD.new"
        if [[ $path == "$CONFIGURATION/slowd.conf" && -e $path ]] && ! cmp -s "$path" "$RECORD.conf"; then
                cmp -s "$stage$path" "$path" && return 0
                to=$path.new
                printf '%s\n' "$to" >>"$RECORD.new"
                say "slowd: $path has been edited and is kept; the new one is $to"
        fi
        install -D -m "$(stat -c %a "$stage$path")" "$stage$path" "$to"
}

install_files() {
        local stage=$BUILD/stage path
        step "installing below $PREFIX"
        rm -rf "$stage"
        quietly env DESTDIR="$stage" cmake --install "$BUILD" --strip || fail "cmake --install, see $LOG"
        [[ -x $stage$PREFIX/sbin/slowd && -x $stage$PREFIX/bin/slowctl ]] || fail "the build has made no slowd and slowctl"
        install -d -m 755 "$(dirname "$RECORD")"
        : >"$RECORD.new"
        install -d -m 755 "$CONFIGURATION/slowd.conf.d"
        while IFS= read -r path; do
                install_file "$stage" "${path#"$stage"}"
        done < <(find "$stage" -type f | sort)
        [[ ! -e $stage$CONFIGURATION/slowd.conf ]] || cp "$stage$CONFIGURATION/slowd.conf" "$RECORD.conf"
        # What the former version had and this one has not.
        if [[ -e $RECORD ]]; then
                grep -vxFf "$RECORD.new" "$RECORD" | while IFS= read -r path; do rm -f "$path"; done || true
        fi
        mv "$RECORD.new" "$RECORD"
        rm -rf "$stage"
}

# ---- user and system

make_user() {
        step "making user slowd"
        if command -v systemd-sysusers >/dev/null; then
                quietly systemd-sysusers slowd.conf || fail "systemd-sysusers, see $LOG"
        elif ! id slowd >/dev/null 2>&1; then
                quietly useradd --system --user-group --home-dir "$STATE" --no-create-home \
                        --shell /usr/sbin/nologin slowd || fail "useradd, see $LOG"
        fi
        install -d -o slowd -g slowd -m 750 "$STATE"
}

count_delays() {
        local switch=/proc/sys/kernel/task_delayacct
        [[ -e $switch && $(<"$switch") == 0 ]] || return 0
        { echo 1 >"$switch"; } 2>/dev/null ||
                say "slowd: kernel.task_delayacct cannot be switched on here: waits for disk and swap will not be known"
}

update_catalog() {
        command -v journalctl >/dev/null || return 0
        quietly journalctl --update-catalog || say "slowd: the journal's catalog could not be updated, see $LOG"
}

# ---- start and stop

# Prints the number of a slowd that this script has started, if it runs.
background_pid() {
        local pid
        pid=$(cat "$PID_FILE" 2>/dev/null) || return 1
        [[ $pid =~ ^[0-9]+$ && $(cat "/proc/$pid/comm" 2>/dev/null) == slowd ]] || return 1
        printf '%s' "$pid"
}

stop_background() {
        local pid i
        pid=$(background_pid) || return 0
        kill "$pid" 2>/dev/null || return 0
        for ((i = 0; i < 100; i++)); do
                background_pid >/dev/null || break
                sleep 0.1
        done
        background_pid >/dev/null && fail "slowd (process $pid) does not end"
        rm -f "$PID_FILE"
}

# The capabilities of slowd.service, as far as this machine or container has them to give.
wanted_capabilities() {
        local bounding name number given=
        bounding=$((16#$(awk '/^CapBnd:/ { print $2 }' /proc/self/status)))
        for name in dac_read_search:2 sys_ptrace:19 net_admin:12 syslog:34; do
                number=${name#*:}
                (((bounding >> number) & 1)) && given+=",+${name%:*}"
        done
        printf '%s' "$given"
}

# The directory belongs to slowd, so root writes into it only before slowd runs, and into nothing that was there.
start_background() {
        local capabilities
        capabilities=$(wanted_capabilities)
        rm -rf "$RUN"
        install -d -o slowd -g slowd -m 755 "$RUN"
        (
                ulimit -l unlimited || true
                echo -900 >/proc/self/oom_score_adj || true
                exec </dev/null >"$DAEMON_LOG"
                echo "$BASHPID" >"$PID_FILE"
                cd /
                exec setsid setpriv --reuid slowd --regid slowd --init-groups --no-new-privs \
                        --inh-caps "-all$capabilities" --ambient-caps "-all$capabilities" \
                        --bounding-set "-all$capabilities" \
                        "$PREFIX/sbin/slowd" --socket="$RUN/io.slowd.Diagnostics" --state-directory="$STATE" 2>&1
        ) 2>>"$LOG" &
}

start() {
        step "starting"
        if have_systemd; then
                quietly systemctl daemon-reload || fail "systemctl daemon-reload, see $LOG"
                quietly systemctl enable slowd.socket slowd.service slowd-disks.timer || fail "systemctl enable, see $LOG"
                quietly systemctl start slowd.socket || fail "systemctl start slowd.socket, see $LOG"
                quietly systemctl start slowd-disks.timer || say "slowd: the disks will not be asked how they are, see $LOG"
                quietly systemctl restart slowd.service || fail "systemctl status slowd says why"
        else
                stop_background
                start_background
        fi
}

await_answer() {
        local i where="$DAEMON_LOG"
        ! have_systemd || where="journalctl -u slowd"
        for ((i = 0; i < 150; i++)); do
                quietly "$PREFIX/bin/slowctl" --socket="$RUN/io.slowd.Diagnostics" status && return 0
                have_systemd || background_pid >/dev/null || ((i < 10)) || break
                sleep 0.1
        done
        local last
        last=$(tail -n 1 "$DAEMON_LOG" 2>/dev/null || true)
        fail "slowd does not answer; $where says why${last:+: $last}"
}

# The first two ticks have no answer yet (exit status 4).
show_diagnosis() {
        local i status
        STEP="asking slowctl diagnose"
        for ((i = 0; i < 60; i++)); do
                status=0
                quietly "$PREFIX/bin/slowctl" --socket="$RUN/io.slowd.Diagnostics" diagnose || status=$?
                ((status == 4)) || break
                sleep 0.5
        done
        say "slowd: installed and running. \"slowctl diagnose\" says:"
        say ""
        status=0
        "$PREFIX/bin/slowctl" --socket="$RUN/io.slowd.Diagnostics" --no-pager diagnose || status=$?
        say ""
        have_systemd || say "slowd runs in the background, without systemd. To stop it: kill \$(cat $PID_FILE)"
        ((status == 0 || status == 1 || status == 4)) || fail "slowctl diagnose ended with status $status"
}

# ---- the two actions

install_all() {
        install_build_needs
        build
        install_files
        make_user
        count_delays
        update_catalog
        start
        STEP="waiting for slowd"
        await_answer
        show_diagnosis
}

uninstall() {
        [[ -e $RECORD ]] || fail "nothing that this script has installed is here: there is no $RECORD (--prefix=DIR?)"
        step "stopping"
        if have_systemd; then
                quietly systemctl disable --now slowd.service slowd.socket slowd-disks.timer || true
        fi
        stop_background
        step "removing"
        local path
        while IFS= read -r path; do
                if [[ $path == "$CONFIGURATION/slowd.conf" && $PURGE == no ]] && ! cmp -s "$path" "$RECORD.conf"; then
                        continue
                fi
                rm -f "$path"
        done <"$RECORD"
        local directories
        directories=$(grep -E '/share/(doc/)?slowd/' "$RECORD"; printf '%s\n' "$RECORD")
        rm -f "$RECORD" "$RECORD.conf"
        xargs -r -d '\n' dirname <<<"$directories" | sort -u | xargs -r -d '\n' rmdir 2>/dev/null || true
        ! have_systemd || quietly systemctl daemon-reload || true
        update_catalog
        rm -rf "$RUN" "$RUN-disks"
        if [[ $PURGE == yes ]]; then
                rm -rf "$STATE" "$STATE-disks" "$CONFIGURATION"
                if id slowd >/dev/null 2>&1; then
                        quietly userdel slowd || say "slowd: user slowd could not be removed"
                fi
                say "slowd: removed, with its user, its configuration and what it has recorded"
                return
        fi
        rmdir "$STATE" "$CONFIGURATION/slowd.conf.d" "$CONFIGURATION" 2>/dev/null || true
        say "slowd: removed. Left: user slowd$([[ ! -d $STATE ]] || printf ', %s' "$STATE")$(
                [[ ! -d $CONFIGURATION ]] || printf ', %s (edited, or with files of yours)' "$CONFIGURATION"). --uninstall --purge takes these too."
}

for argument in "$@"; do
        case $argument in
        --prefix=/?*) PREFIX=${argument#*=} && PREFIX=${PREFIX%/} ;;
        --uninstall) ACTION=uninstall ;;
        --purge) PURGE=yes ;;
        --build-needs)
                printf '%s\n' "${BUILD_NEEDS[@]}"
                exit 0
                ;;
        --help)
                usage
                exit 0
                ;;
        *)
                usage >&2
                exit 2
                ;;
        esac
done
if [[ $PURGE == yes && $ACTION != uninstall ]]; then
        usage >&2
        exit 2
fi
((EUID == 0)) || fail "this has to be run as root: sudo $0 $*"
: >"$LOG" || fail "cannot write $LOG"
trap on_exit EXIT
export LC_ALL=C.UTF-8
set_record

if [[ $ACTION == install ]]; then
        install_all
else
        uninstall
        rm -f "$LOG"
fi
