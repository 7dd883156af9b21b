#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# How source reads: licence line, comments, width, no path of one machine.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

code=$(files c h)
all=$(
	for f in $(files c h def sh py md in tab) $(scripts sh) \
		$(scripts bash) $(scripts python3); do
		printf '%s\n' "$f"
	done | sort -u
)

unlicensed() {
	for f in $all; do
		case $f in *.md) continue ;; esac
		head -n 6 "$f" |
			grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' ||
			printf '%s: no licence line at its top\n' "$f"
	done
}

slashes() {
	# shellcheck disable=SC2086 # one word a file
	code_of $code | grep '//'
}

wide() {
	# shellcheck disable=SC2046 # one word a file
	for f in $code $(files sh) $(scripts sh); do
		expand -t 8 "$f" | awk -v f="$f" 'length($0) > 80 {
			printf "%s:%d: %d columns\n", f, NR, length($0)
		}'
	done
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
		/dev/null | grep -v '^tests/lint/text.sh:'
}

claim 'every source file names its licence' unlicensed
claim 'comments in C are /* */' slashes
claim 'no line of C or sh is wider than 80 columns' wide
claim 'no comment is a banner' banners
claim 'no line ends in white space' trailing
claim 'no path of one machine' one_machine
finish
