#!/bin/bash
# All tests, from a clean checkout on a bare Debian 12 or 13: style, gcc with sanitizers, clang with sanitizers and
# the fuzz targets, and the build that is installed. Ends in one line: N passed, M failed, K skipped.
#   tests/run.sh [NAME...]   only tests whose name contains one of these: tests/run.sh unit/test_text live/
# shellcheck disable=SC2317,SC2001 # functions are called by step; sed is plainer than a substitution
set -uo pipefail

SOURCE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
# Kept between runs of this checkout, so that the second one builds only what has changed.
WORK=${SLOWD_TEST_DIR:-/var/tmp/slowd-tests-$(cksum <<<"$SOURCE$EUID" | cut -d" " -f1)}
JOBS=$(nproc)
TEST_NEEDS=(clang clang-format clang-tidy llvm libclang-rt-dev libcmocka-dev shellcheck python3 procps iproute2
        ffmpeg nginx-light apache2-utils stress-ng fio lintian man-db plocate rsync
        mmdebstrap qemu-system-x86 qemu-utils e2fsprogs openssh-client)
PASSED=0 FAILED=0 SKIPPED=0
FILTER=

cd "$SOURCE" || exit 1
exec </dev/null
export LC_ALL=C.UTF-8
export ASAN_OPTIONS=${ASAN_OPTIONS:-abort_on_error=0:detect_leaks=1:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

for argument in "$@"; do
        case $argument in
        -h | --help)
                sed -n '2,4s/^# //p' "$0"
                exit 0
                ;;
        -*)
                echo "tests/run.sh: unknown option $argument" >&2
                exit 2
                ;;
        esac
        # Names are taken as they are, whatever they mean to a regular expression.
        FILTER+=${FILTER:+|}$(sed 's/[][\.*^$+?(){}|]/\\&/g' <<<"$argument")
done

# ---- one step: a command with its output in a log, told in a line

# step NAME COMMAND...: counts one test.
step() {
        local name=$1 log began=$SECONDS
        shift
        log=$WORK/log/${name//[^a-z0-9]/-}.log
        if "$@" >"$log" 2>&1; then
                PASSED=$((PASSED + 1))
                printf '%-44s passed %5d s\n' "$name" $((SECONDS - began))
                return 0
        fi
        FAILED=$((FAILED + 1))
        printf '%-44s FAILED %5d s\n' "$name" $((SECONDS - began))
        tail -n 60 "$log" | sed 's/^/    /'
        return 1
}

# tests NAME PRESET CTEST-OPTIONS...: counts the tests that ctest ran, failed and skipped.
tests() {
        local name=$1 preset=$2 began=$SECONDS log result counts run failed skipped
        shift 2
        log=$WORK/log/${name//[^a-z0-9]/-}.log
        result=${log%.log}.xml
        rm -f "$result"
        ctest --test-dir "$WORK/$preset" --output-on-failure --output-junit "$result" "$@" \
                ${FILTER:+-R "$FILTER"} >"$log" 2>&1
        local status=$?
        counts=$(sed -n '/<testsuite /,/>/p' "$result" 2>/dev/null | tr '\n' ' ')
        run=$(sed -n 's/.*[[:space:]]tests="\([0-9]*\)".*/\1/p' <<<"$counts")
        failed=$(sed -n 's/.*[[:space:]]failures="\([0-9]*\)".*/\1/p' <<<"$counts")
        skipped=$(sed -n 's/.*[[:space:]]skipped="\([0-9]*\)".*/\1/p' <<<"$counts")
        if [[ -z $run || -z $failed || -z $skipped ]]; then
                grep -q 'No tests were found' "$log" && return 0
                failed=1 run=1 skipped=0
        elif ((status != 0 && failed == 0)); then # a test without its program
                failed=1
        fi
        PASSED=$((PASSED + run - failed - skipped))
        FAILED=$((FAILED + failed))
        SKIPPED=$((SKIPPED + skipped))
        printf '%-44s %s %5d s: %d tests, %d failed, %d skipped\n' "$name" \
                "$( ((failed)) && echo FAILED || echo passed)" $((SECONDS - began)) "$run" "$failed" "$skipped"
        ((failed == 0)) || sed 's/^/    /' <<<"$(tail -n 200 "$log")"
        ((skipped == 0)) || sed -n '/The following tests did not run/,/^$/p' "$log" | sed 's/^/    /'
        # A number that a test has measured is worth more than that it passed.
        sed -n '/^MEASURED /p' "$log" | sed 's/^/    /'
}

skip() {
        SKIPPED=$((SKIPPED + 1))
        printf '%-44s skipped: %s\n' "$1" "$2"
}

# lab NAME COMMAND...: one test; exit status 77 is a machine that cannot run it, and its last line says why.
lab() {
        local name=$1 log began=$SECONDS status=0
        shift
        log=$WORK/log/${name//[^a-z0-9]/-}.log
        timeout 1800 "$@" >"$log" 2>&1 || status=$?
        if ((status == 77)); then
                skip "$name" "$(sed -n 's/^skipped: //p' "$log" | tail -n 1)"
        elif ((status == 0)); then
                PASSED=$((PASSED + 1))
                printf '%-44s passed %5d s\n' "$name" $((SECONDS - began))
                sed -n '/^scenario  /,$p' "$log" | sed 's/^/    /'
        else
                FAILED=$((FAILED + 1))
                printf '%-44s FAILED %5d s, status %d\n' "$name" $((SECONDS - began)) "$status"
                tail -n 60 "$log" | sed 's/^/    /'
        fi
}

finish() {
        printf '%d passed, %d failed, %d skipped\n' "$PASSED" "$FAILED" "$SKIPPED"
        ((FAILED == 0 && PASSED > 0))
        exit
}

# ---- what the tests need

install_needs() {
        local wanted=() missing=() package
        mapfile -t wanted < <(systemd/install.sh --build-needs)
        wanted+=("${TEST_NEEDS[@]}")
        for package in "${wanted[@]}"; do
                dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
        done
        ((${#missing[@]})) || return 0
        if ((EUID != 0)); then
                echo "not root: these packages are missing and cannot be installed: ${missing[*]}"
                # What the compilers need decides whether anything can be tested; the rest is skipped by its test.
                return 0
        fi
        export DEBIAN_FRONTEND=noninteractive
        apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"
}

# Debian has many versions of clang's run-time library; the one wanted is that of its default clang.
name_clang_runtime() {
        local version i
        version=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
        for i in "${!TEST_NEEDS[@]}"; do
                [[ ${TEST_NEEDS[i]} != libclang-rt-dev || -z $version ]] || TEST_NEEDS[i]=libclang-rt-$version-dev
        done
}

# ---- steps

check_shell() {
        shellcheck tests/run.sh .ci/run systemd/install.sh systemd/debian/{postinst,prerm,postrm} \
                tests/lab/{image,record,varlink} tests/lab/guest/{helpers.sh,warm,again} &&
                shellcheck --shell=bash --exclude=SC2154,SC2016 tests/lab/scenarios/*/{prepare,inject,validate}
}

# As built by clang; headers are looked at through the files that include them (.clang-tidy). One file each time: with
# more, clang-tidy 14 takes every va_list for uninitialized.
check_tidy() {
        find common daemon cli systemd -name '*.c' -print0 |
                timeout 900 xargs -0 -n 1 -P "$JOBS" clang-tidy --quiet -p "$WORK/clang" 2>&1 |
                grep -vE '^[0-9]+ warnings? generated\.$'
        # xargs has the word, not grep, which finds nothing when all is well.
        ((PIPESTATUS[1] == 0))
}

build() {
        local preset=$1
        cmake --preset "$preset" -B "$WORK/$preset" && cmake --build "$WORK/$preset" -j "$JOBS"
}

build_package() {
        cmake --build "$WORK/release" --target package && lintian --fail-on error "$WORK"/release/*.deb
}

# ---- all of it

mkdir -p "$WORK/log" || exit 1
if command -v apt-get >/dev/null; then
        if ((EUID == 0)) && ! apt-cache show clang >/dev/null 2>&1; then
                apt-get update >"$WORK/log/apt.log" 2>&1
        fi
        name_clang_runtime
        step "packages that the tests need" install_needs || finish
        PASSED=$((PASSED - 1)) # no test
fi

if [[ -z $FILTER ]]; then
        step "style: shellcheck" check_shell
fi
if step "build: gcc, sanitizers" build debug; then
        # A second try for what fails: some hold slowd to milliseconds, on a machine that others use as well.
        tests "tests: gcc, sanitizers" debug -j "$JOBS" -LE 'live|bench' --repeat until-pass:2
fi
if step "build: clang, sanitizers, fuzz targets" build clang; then
        tests "tests: clang, sanitizers" clang -j "$JOBS" -L 'unit|fuzz'
        [[ -n $FILTER ]] || step "style: clang-tidy" check_tidy
fi
# What is measured and what is done to the machine: with the build that is installed, one at a time.
if step "build: release" build release; then
        # A second try for what fails: on a shared machine somebody else may have been the one who waited.
        tests "tests: live, release" release -j 1 -L 'live|bench' --repeat until-pass:2
        if [[ -z $FILTER ]]; then
                if command -v lintian >/dev/null; then
                        step "package: build, lintian" build_package
                else
                        skip "package: build, lintian" "lintian is not installed"
                fi
                lab "lab: varlinkctl of Debian 13" tests/lab/varlink "$WORK/release/daemon/slowd"
                lab "lab: faults in a guest" tests/lab/run --smoke --results "$WORK/log/lab.json"
        fi
fi
finish
