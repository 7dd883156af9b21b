#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Who includes whom: a folder sees the layers below it and itself, roles of
# mcd never each other. File names are unique, so that a flat #include means
# one file only; each program has its main.c.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

sources=$(files c h def | grep -v '^tests/')

twins() {
	printf '%s\n' "$sources" | sed 's|.*/||' | grep -vx 'main\.c' |
		sort | uniq -d |
		sed 's/$/: this file name is used twice/'
}

wrong_includes() {
	# shellcheck disable=SC2086 # one word a file
	awk '
	function zone(path) {
		sub(/\/[^\/]*$/, "", path)
		return path
	}
	BEGIN {
		below["lib/util"] = " lib/util "
		below["lib/mail"] = below["lib/util"] "lib/mail "
		below["lib/core"] = below["lib/mail"] "lib/core "
		below["lib/tui"] = below["lib/core"] "lib/tui "
		below["mcd/net"] = below["lib/core"] "mcd/net "
		below["mcd/wrap"] = below["mcd/net"] "mcd/wrap "
		below["mcd"] = below["mcd/wrap"] "mcd "
		n = split("incoming queue filter lookup outgoing control " \
		    "store", r, " ")
		for (i = 1; i <= n; i++)
			below["mcd/" r[i]] = below["mcd"] "mcd/" r[i] " "
		below["mcctl"] = below["lib/tui"] "mcctl "
		below["mcctl/net"] = below["mcctl"] \
		    "mcd/net mcd/wrap mcctl/net "
		below["mcctl/console"] = below["lib/tui"] "mcctl mcctl/console "
		below["mctop"] = below["lib/tui"] "mctop "
		below["snmp-agent"] = below["lib/core"] "snmp-agent "
		below["exporter"] = below["snmp-agent"] "exporter "
		below["man"] = below["lib/tui"] "mcctl mcctl/console " \
		    "mctop man "
		for (i = 1; i < ARGC; i++) {
			name = ARGV[i]
			sub(/.*\//, "", name)
			home[name] = zone(ARGV[i])
		}
	}
	/^[ \t]*#[ \t]*include[ \t]*"/ {
		split($0, part, "\"")
		name = part[2]
		from = zone(FILENAME)
		at = FILENAME ":" FNR ": "
		if (name == "config.h")
			next
		if (!(from in below))
			print at from " is not a layer"
		else if (!(name in home))
			print at name " is not in the tree"
		else if (!index(below[from], " " home[name] " "))
			print at from " may not see " name " of " home[name]
	}' $sources /dev/null
}

claim 'no two source files have the same name' twins
claim 'every include goes down the layers' wrong_includes
finish
