# bash completion for slowctl: commands, options and their values, names of checks.

# The list that was installed with slowd; else slowd itself is asked.
_slowctl_checks() {
        local file
        for file in /usr/share/slowd/checks /usr/local/share/slowd/checks; do
                [[ -r $file ]] && cat "$file" && return
        done
        slowctl checks --json=short 2>/dev/null | grep -o '"name":"[^"]*"' | cut -d'"' -f4
}

# What runs now; what ran in the past is typed by hand.
_slowctl_programs() {
        ps -e -o comm= 2>/dev/null | sort -u
}

_slowctl_units() {
        systemctl list-units --all --plain --no-legend 2>/dev/null | cut -d' ' -f1
}

_slowctl() {
        local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
        local commands="diagnose why checks explain top mounts alerts history boot disks export logs status help"
        local options="--socket= --json --color= --no-pager --version --help"
        local command="" argument="" is_help="" word i
        COMPREPLY=()

        # bash makes words of its own from "--color=never": "--color", "=", "never".
        if [[ $current == "=" ]]; then
                current=""
        elif [[ $previous == "=" ]]; then
                previous=${COMP_WORDS[COMP_CWORD - 2]}
        fi

        case $previous in
        --color)
                mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$current")
                return
                ;;
        --json)
                # Its value is optional, and only behind "=".
                if [[ ${COMP_WORDS[COMP_CWORD]} == "=" || ${COMP_WORDS[COMP_CWORD - 1]} == "=" ]]; then
                        mapfile -t COMPREPLY < <(compgen -W "pretty short" -- "$current")
                        return
                fi
                ;;
        --sort)
                mapfile -t COMPREPLY < <(compgen -W "lost cpu memory io wait" -- "$current")
                return
                ;;
        --since | --until | --at)
                mapfile -t COMPREPLY < <(compgen -W "now today yesterday -1h -24h" -- "$current")
                return
                ;;
        --socket)
                compopt -o filenames
                mapfile -t COMPREPLY < <(compgen -f -- "$current")
                return
                ;;
        --metric)
                # Names with commas between: what stands behind the last comma is completed.
                local begun=""
                [[ $current == *,* ]] && begun=${current%,*},
                mapfile -t COMPREPLY < <(compgen -P "$begun" -W "cpu memory io wait threads files" -- "${current##*,}")
                return
                ;;
        --step)
                mapfile -t COMPREPLY < <(compgen -W "10s 1min 5min 1h 1d" -- "$current")
                return
                ;;
        --proc)
                mapfile -t COMPREPLY < <(compgen -W "$(_slowctl_programs)" -- "$current")
                return
                ;;
        --unit)
                mapfile -t COMPREPLY < <(compgen -W "$(_slowctl_units)" -- "$current")
                return
                ;;
        --boot)
                mapfile -t COMPREPLY < <(compgen -W "-1 -2 -3" -- "$current")
                return
                ;;
        --limit | -n)
                return
                ;;
        esac

        for ((i = 1; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                case $word in
                --socket | --color | --sort | --limit | --since | --until | --at | --metric | --step | --proc | --unit | --boot | -n)
                        [[ ${COMP_WORDS[i + 1]} == "=" ]] && ((i++))
                        ((i++))
                        ;;
                --json | --wait)
                        [[ ${COMP_WORDS[i + 1]} == "=" ]] && ((i += 2))
                        ;;
                -*) ;;
                help)
                        is_help=yes
                        commands=${commands% help}
                        ;;
                *)
                        if [[ -z $command ]]; then command=$word; else argument=$word; fi
                        ;;
                esac
        done

        case ${command:-diagnose} in
        diagnose) options+=" --follow --wait --at= --since= --until=" ;;
        why) options+=" --at= --since= --until=" ;;
        top) options+=" --sort= --limit= --at=" ;;
        logs) options+=" --limit=" ;;
        alerts) options+=" --since= --until=" ;;
        history) options+=" --proc= --unit= --since= --until= --step= --metric= --each --csv" ;;
        boot) options+=" --boot=" ;;
        export) options+=" --since= --until= --command-lines --force" ;;
        esac

        if [[ $current == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
                [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
        elif [[ -z $command ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
        elif [[ $command == export && -z $argument && -z $is_help ]]; then
                compopt -o filenames
                mapfile -t COMPREPLY < <(compgen -f -- "$current")
        elif [[ $command == why && -z $argument && -z $is_help ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$(_slowctl_programs)" -- "$current")
        elif [[ $command == explain && -z $argument && -z $is_help ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$(_slowctl_checks)" -- "$current")
        fi
}

complete -F _slowctl slowctl
