#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A function fits a screen, a file can be read in one go.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

code=$(files c h)

# A function's body stands between braces in the first column.
long_functions() {
	# shellcheck disable=SC2086 # one word a file
	awk '
	FNR == 1 { start = 0 }
	/^[a-z].*\(/ {
		name = $0
		sub(/\(.*/, "", name)
		sub(/.*[ *]/, "", name)
	}
	/^\{/ { start = FNR }
	/^\}/ && start {
		n = FNR - start + 1
		if (n > 70)
			printf "%s:%d: %s() has %d lines\n", FILENAME, start,
			    name, n
		start = 0
	}' $code /dev/null
}

# A statement that opens a fifth level below the body stands at five tabs.
deep() {
	# shellcheck disable=SC2086
	awk '/^\t\t\t\t\t+(if|for|while|switch|do) / {
		printf "%s:%d: more than four levels\n", FILENAME, FNR
	}' $code /dev/null
}

long_files() {
	for f in $code; do
		n=$(wc -l <"$f")
		test "$n" -le 700 || printf '%s: %d lines\n' "$f" "$n"
	done
}

claim 'no function is longer than 70 lines' long_functions
claim 'no function nests more than four levels' deep
claim 'no source file is longer than 700 lines' long_files
finish
