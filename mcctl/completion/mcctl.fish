# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of mcctl for fish: mcctl itself says what may follow.
function __mcctl_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -l lines ($words[1] complete -- $words[2..-1] "$typed" 2>/dev/null)
    string match -v ':files' -- $lines
    if contains -- :files $lines
        __fish_complete_path "$typed"
    end
end
complete -c mcctl -f -a '(__mcctl_complete)'
