# fish completion for slowctl: commands, options and their values, names of checks.

# The list that was installed with slowd; else slowd itself is asked.
function __slowctl_checks
    for file in /usr/share/slowd/checks /usr/local/share/slowd/checks
        if test -r $file
            cat $file
            return
        end
    end
    slowctl checks --json=short 2>/dev/null | string match --all --regex --groups-only '"name":"([^"]*)"'
end

function __slowctl_units
    systemctl list-units --all --plain --no-legend 2>/dev/null | string replace --regex ' .*' ''
end

# Whether the last word before the cursor that is no option is this command.
function __slowctl_behind
    set -l words (string match --invert -- '-*' (commandline -opc))
    test "$words[-1]" = $argv[1]
end

set -l commands diagnose why checks explain top mounts alerts history boot disks export logs status help
set -l times 'now today yesterday -1h -24h'

complete -c slowctl -f
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a diagnose -d 'why this machine is slow'
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a why -d 'where the time of one program goes'
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a checks -d 'what slowd looks for and found'
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a explain -d 'what a check means'
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a top -d 'programs that lose or use most'
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a mounts -d 'network mounts and who waits for them'
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a alerts -d 'what was slow before'
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a history -d 'numbers over time, with a chart'
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a boot -d 'how the machine started'
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a disks -d 'how the disks are, and how long they take'
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a export -d 'a part of the record as a file'
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a logs -d 'logs that are largest and grow fastest'
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a status -d 'how slowd itself is doing'
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a help -d 'what a command does and takes'
complete -c slowctl -n "__slowctl_behind help" -a "$commands"
complete -c slowctl -n "__slowctl_behind why" -a '(ps -e -o comm= 2>/dev/null | sort -u)' -d program
complete -c slowctl -n "__slowctl_behind explain" -a '(__slowctl_checks)' -d check

complete -c slowctl -l socket -r -F -d 'ask the slowd that listens there'
complete -c slowctl -l json -d 'the answer as JSON'
complete -c slowctl -l json=pretty -d 'as JSON, many lines'
complete -c slowctl -l json=short -d 'as JSON, one line'
complete -c slowctl -l color -x -a 'auto always never' -d 'when to colour'
complete -c slowctl -l no-pager -d 'write straight to the terminal'
complete -c slowctl -l version -d 'the version of slowctl'
complete -c slowctl -s h -l help -d 'what it does and takes'

set -l not_diagnose why checks explain top mounts alerts history boot disks export logs status help
complete -c slowctl -n "not __fish_seen_subcommand_from $not_diagnose" -s f -l follow -d 'again whenever it changes'
complete -c slowctl -n "not __fish_seen_subcommand_from $not_diagnose" -l wait -d 'wait until slowd can tell'
complete -c slowctl -n "__fish_seen_subcommand_from top" -l sort -x -a 'lost cpu memory io wait' -d 'most of this first'
complete -c slowctl -n "__fish_seen_subcommand_from top logs" -s n -l limit -x -d 'so many lines'
set -l of_history '__fish_seen_subcommand_from history'
set -l of_export '__fish_seen_subcommand_from export'
set -l may_at "__fish_seen_subcommand_from why top; or not __fish_seen_subcommand_from $not_diagnose"
set -l may_since "__fish_seen_subcommand_from why alerts history export; or not __fish_seen_subcommand_from $not_diagnose"
complete -c slowctl -n $may_since -l since -x -a $times -d 'what lasted to this time or later'
complete -c slowctl -n $may_since -l until -x -a $times -d 'what began before this time'
complete -c slowctl -n $may_at -l at -x -a 'yesterday -1h -24h' -d 'not now, but then'
complete -c slowctl -n $of_history -l proc -x -a '(ps -e -o comm= 2>/dev/null | sort -u)' -d 'of one program or process'
complete -c slowctl -n $of_history -l unit -x -a '(__slowctl_units)' -d 'of one unit'
complete -c slowctl -n $of_history -l step -x -a '10s 1min 5min 1h 1d' -d 'one value for so long'
complete -c slowctl -n $of_history -l metric -x -a '(__fish_append , cpu memory io wait threads files)' -d 'only these'
complete -c slowctl -n $of_history -l each -d 'a line for each process'
complete -c slowctl -n $of_history -l csv -d 'the values as CSV'
complete -c slowctl -n "__fish_seen_subcommand_from boot" -l boot -x -a '-1 -2 -3' -d 'not this boot'
complete -c slowctl -n $of_export -l command-lines -d 'with the command lines of all programs'
complete -c slowctl -n $of_export -l force -d 'overwrite the file if it exists'
complete -c slowctl -n '__slowctl_behind export' -F
