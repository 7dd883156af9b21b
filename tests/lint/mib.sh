#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is counted is served: each row of stats.def is an object of MCGATE-MIB
# or said to be left out, and no number of an object stands for two.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

stats=lib/core/stats.def
mib=snmp-agent/mib.def

missing() {
	sed -n 's/^\(COUNTER\|GAUGE\)([A-Z]*, \([a-z0-9_]*\),.*/\2/p' "$stats" |
		while read -r name; do
			grep -q -e "^SCALAR($name, [0-9]*)\$" \
				-e "^SCALAR_AGE($name, [0-9]*," \
				-e "^SCALAR_TIME($name, [0-9]*," \
				-e "^LEFT_OUT($name)\$" "$mib" ||
				printf '%s: %s has no row: SCALAR(%s, N)%s\n' \
					"$mib" "$name" "$name" \
					' with the next free N, or LEFT_OUT'
		done
}

# In each kind numbers grow: OIDs are served in that order.
out_of_order() {
	awk -F'[(,] *' '
	/^(STATUS|SCALAR|SCALAR_AGE|SCALAR_TIME|TABLE)\(/ { kind = $1; n = $3 }
	/^COLUMN\(/ { kind = "COLUMN " $3; n = $4 }
	!/^(STATUS|SCALAR|SCALAR_AGE|SCALAR_TIME|TABLE|COLUMN)\(/ { next }
	{
		sub(/SCALAR_(AGE|TIME)/, "SCALAR", kind)
		if (n + 0 <= last[kind] + 0)
			print FILENAME ":" FNR ": " n " after " last[kind]
		last[kind] = n
	}' "$mib"
}

claim 'each row of stats.def is in the MIB, or left out' missing
claim 'numbers of objects grow' out_of_order
finish
