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

# Whether the last word before the cursor that is no option is this command.
function __slowctl_behind
    set -l words (string match --invert -- '-*' (commandline -opc))
    test "$words[-1]" = $argv[1]
end

set -l commands diagnose checks explain top alerts status help
set -l times 'now today yesterday -1h -24h'

complete -c slowctl -f
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a diagnose -d 'why this machine is slow'
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a checks -d 'what slowd looks for and found'
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a explain -d 'what a check means'
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a top -d 'programs that lose or use most'
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a alerts -d 'what was slow before'
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a status -d 'how slowd itself is doing'
complete -c slowctl -n "not __fish_seen_subcommand_from $commands" -a help -d 'what a command does and takes'
complete -c slowctl -n "__slowctl_behind help" -a "$commands"
complete -c slowctl -n "__slowctl_behind explain" -a '(__slowctl_checks)' -d check

complete -c slowctl -l socket -r -F -d 'ask the slowd that listens there'
complete -c slowctl -l json -d 'the answer as JSON'
complete -c slowctl -l json=pretty -d 'as JSON, many lines'
complete -c slowctl -l json=short -d 'as JSON, one line'
complete -c slowctl -l color -x -a 'auto always never' -d 'when to colour'
complete -c slowctl -l no-pager -d 'write straight to the terminal'
complete -c slowctl -l version -d 'the version of slowctl'
complete -c slowctl -s h -l help -d 'what it does and takes'

set -l not_diagnose checks explain top alerts status help
complete -c slowctl -n "not __fish_seen_subcommand_from $not_diagnose" -s f -l follow -d 'again whenever it changes'
complete -c slowctl -n "not __fish_seen_subcommand_from $not_diagnose" -l wait -d 'wait until slowd can tell'
complete -c slowctl -n "__fish_seen_subcommand_from top" -l sort -x -a 'lost cpu memory io wait' -d 'most of this first'
complete -c slowctl -n "__fish_seen_subcommand_from top" -s n -l limit -x -d 'so many programs'
complete -c slowctl -n "__fish_seen_subcommand_from alerts" -l since -x -a $times -d 'what lasted to this time or later'
complete -c slowctl -n "__fish_seen_subcommand_from alerts" -l until -x -a $times -d 'what began before this time'
