# bash completion for slowctl: commands, options and their values, names of checks.

# The list that was installed with slowd; else slowd itself is asked.
_slowctl_checks() {
        local file
        for file in /usr/share/slowd/checks /usr/local/share/slowd/checks; do
                [[ -r $file ]] && cat "$file" && return
        done
        slowctl checks --json=short 2>/dev/null | grep -o '"name":"[^"]*"' | cut -d'"' -f4
}

_slowctl() {
        local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
        local commands="diagnose checks explain top alerts status help"
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
        --since | --until)
                mapfile -t COMPREPLY < <(compgen -W "now today yesterday -1h -24h" -- "$current")
                return
                ;;
        --socket)
                compopt -o filenames
                mapfile -t COMPREPLY < <(compgen -f -- "$current")
                return
                ;;
        --limit | -n)
                return
                ;;
        esac

        for ((i = 1; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                case $word in
                --socket | --color | --sort | --limit | --since | --until | -n)
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
        diagnose) options+=" --follow --wait" ;;
        top) options+=" --sort= --limit=" ;;
        alerts) options+=" --since= --until=" ;;
        esac

        if [[ $current == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
                [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
        elif [[ -z $command ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
        elif [[ $command == explain && -z $argument && -z $is_help ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$(_slowctl_checks)" -- "$current")
        fi
}

complete -F _slowctl slowctl
