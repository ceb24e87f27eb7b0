#!/bin/sh
# Holds the layers: who may include what, open files, read clocks and parse numbers. Each rule is a pattern, where
# it is forbidden, and where it is allowed all the same. `layers.sh DIR` examines DIR; it also first proves on
# a tree of sins that every rule can fail. clang-format sees to it that a call has no blank before its bracket.
set -u

# rule NAME PATTERN ALLOWED-REGEX PATH...: PATTERN must not match in .c and .h below the paths, but in files
# whose name (from the project's directory) matches ALLOWED.
rule() {
        name=$1 pattern=$2 allowed=$3
        shift 3
        for path in "$@"; do
                [ -e "$path" ] || continue
                hits=$(find "$path" -name '*.[ch]' -print | grep -Ev "^($allowed)\$" |
                        xargs -r grep -nE -- "$pattern" /dev/null | grep -Ev ':[0-9]+:[[:space:]]*(/?\*|//)')
                if [ -n "$hits" ]; then
                        printf 'broken rule: %s\n%s\n' "$name" "$hits"
                        broken=$((broken + 1))
                fi
        done
}

examine() {
        broken=0
        cd "$1" || exit 2
        rule 'uv.h only in loop.c and serve/' '#include *[<"]uv' 'daemon/loop\.[ch]|daemon/serve/.*' common daemon cli
        rule 'no json-c in sample/, model/, checks/, history/' '#include *[<"](json-c/|json\.h)' 'none' \
                daemon/sample daemon/model daemon/checks daemon/history
        rule 'no libsystemd below the shell' '#include *[<"]systemd/' 'daemon/(main|loop)\.c|daemon/(bus|serve|publish)/.*' \
                common daemon cli
        # Absolute names in strings. process_name.c compares the arguments of processes with such names.
        rule 'the machine is read through struct root: no absolute /proc or /sys' '"/(proc|sys)[/"]' \
                'daemon/(root|loop|main)\.c|daemon/(serve|publish)/.*|daemon/sample/process_name\.c' daemon
        # process_files.c opens below root->proc_fd (shorter paths, at every tick); process.c writes a sysctl,
        # pressure_trigger.c a trigger: root_open() opens for reading.
        rule 'files are opened in root.c only' '(^|[^_[:alnum:]])(open|openat|openat2|fopen|freopen|opendir|creat)\(' \
                'daemon/(root|config|examine_disks|config_[a-z]*|loop|main|pressure_trigger|sample/process|sample/process_files)\.c|daemon/(serve|publish)/.*|daemon/history/store.*|daemon/store/.*' daemon
        rule 'clocks are read in clock.c only' \
                '(^|[^_[:alnum:]])(clock_gettime|gettimeofday|time|uv_now|uv_hrtime|ftime|timespec_get)\(' \
                'daemon/clock\.c|daemon/loop\.c|daemon/(serve|publish)/.*' daemon
        rule 'numbers are parsed by span_u64 and its like' \
                '(^|[^_[:alnum:]])(ato(i|l|ll|f)|[vfs]*scanf|strto(l|ul|ll|ull|imax|umax|d|f))\(' \
                'none' daemon
        rule 'exit() only in main' '(^|[^_[:alnum:]])_?exit\(' 'daemon/main\.c|cli/main\.c' common daemon cli
        rule 'no stdio files in the sampler' '(^|[^_[:alnum:]])(fread|fgets|getline|fgetc|FILE) *[(*]' 'none' daemon/sample
        [ "$broken" -eq 0 ]
}

sin() {
        mkdir -p "$(dirname "$sins/$1")"
        printf '%s\n' "$2" >"$sins/$1"
        if (examine "$sins") >/dev/null; then
                printf 'a rule does not hold: %s in %s was let through\n' "$2" "$1"
                exit 1
        fi
        rm -f "$sins/$1"
}

sins=$(mktemp -d) || exit 2
trap 'rm -rf "$sins"' EXIT
sin daemon/tick.c '#include <uv.h>'
sin daemon/sample/a.c '#include <json-c/json.h>'
sin daemon/checks/a.c '#include <systemd/sd-bus.h>'
sin daemon/sample/a.c '        fd = root_open(root, "/proc/stat");'
sin daemon/model/a.c '        int fd = open(path, O_RDONLY);'
sin daemon/checks/a.c '        clock_gettime(CLOCK_REALTIME, &now);'
sin daemon/sample/a.c '        return atoi(text);'
sin daemon/sample/a.c '        sscanf(text, "%d", &n);'
sin daemon/history/a.c '        n = strtoul(text, &end, 10);'
sin common/a.c '        exit(1);'
sin daemon/sample/a.c '        FILE *file;'

examine "$1"
