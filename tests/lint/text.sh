#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# How source reads: licence line, comments, width, no path of one machine.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

code=$(files c h)
all=$( (files c h def sh py md in tab; scripts sh; scripts bash
	scripts python3) | sort -u)

unlicensed() {
	# shellcheck disable=SC2086 # one word a file
	awk '
	FNR <= 6 && /SPDX-License-Identifier: GPL-2\.0-or-later/ {
		has[FILENAME] = 1
	}
	FNR > 6 { nextfile }
	END {
		for (i = 1; i < ARGC; i++)
			if (!has[ARGV[i]] && ARGV[i] !~ /\.md$/)
				print ARGV[i] ": no licence line at its top"
	}' $all
}

slashes() {
	# shellcheck disable=SC2086 # one word a file
	code_of $code | grep '//'
}

# Columns are counted by character, a tab goes to the next eighth.
wide() {
	# shellcheck disable=SC2046,SC2086 # one word a file
	LC_ALL=C.UTF-8 awk '
	length($0) > 10 {
		n = split($0, part, "\t")
		columns = length(part[1])
		for (i = 2; i <= n; i++)
			columns += 8 - columns % 8 + length(part[i])
		if (columns > 80)
			printf "%s:%d: %d columns\n", FILENAME, FNR, columns
	}' $code $(files sh) $(scripts sh) /dev/null | sort -u
}

banners() {
	# shellcheck disable=SC2086
	grep -nE '^[[:space:]]*(/?\*|#).*(----|====|####|\*\*\*\*)' $all \
		/dev/null | grep -v '\.md:'
}

trailing() {
	# shellcheck disable=SC2086
	grep -nE '[[:space:]]+$' $all /dev/null | cut -d: -f1,2 |
		grep -v '\.md:' | sed 's/$/: white space at the end/'
}

one_machine() {
	# shellcheck disable=SC2086
	grep -nE '(^|[^[:alnum:]_.])/(work|home|root|tmp/b-)[/a-z]' $all \
		/dev/null | grep -v '^tests/lint/\(text\|selftest\)\.sh:'
}

claim 'every source file names its licence' unlicensed
claim 'comments in C are /* */' slashes
claim 'no line of C or sh is wider than 80 columns' wide
claim 'no comment is a banner' banners
claim 'no line ends in white space' trailing
claim 'no path of one machine' one_machine
finish
