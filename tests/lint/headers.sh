#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 400
# Each header compiles alone, with what its folder may see: because its source
# includes it before all else, or because it is tried here, twice over.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

build=${MCGATE_BUILDDIR:-.}
room=$(mktemp -d "${TMPDIR:-/tmp}/mcgate-headers.XXXXXX")
trap 'rm -rf "$room"' EXIT
: "${CC:=cc}"

# see FOLDER: the -iquote options of its layer.
see() {
	dirs='lib/util'
	case $1 in
	lib/util) ;;
	lib/mail) dirs="$dirs lib/mail" ;;
	lib/core | snmp-agent) dirs="$dirs lib/mail lib/core $1" ;;
	exporter) dirs="$dirs lib/mail lib/core snmp-agent $1" ;;
	lib/tui | mctop) dirs="$dirs lib/mail lib/core lib/tui $1" ;;
	mcctl | mcctl/console)
		dirs="$dirs lib/mail lib/core lib/tui mcctl mcctl/console"
		;;
	mcctl/net)
		dirs="$dirs lib/mail lib/core mcd/net mcd/wrap mcctl $1"
		;;
	mcd/net) dirs="$dirs lib/mail lib/core $1" ;;
	mcd/wrap) dirs="$dirs lib/mail lib/core mcd/net $1" ;;
	tests/unit)
		dirs="$dirs lib/mail lib/core mcd mcd/net mcd/wrap"
		dirs="$dirs mcd/incoming mcd/outgoing mcd/queue $1"
		;;
	*) dirs="$dirs lib/mail lib/core mcd mcd/net mcd/wrap $1" ;;
	esac
	for d in $dirs; do
		printf ' -iquote %s' "$d"
	done
}

# The headers that the compiler has met alone already.
met() {
	# shellcheck disable=SC2016 # awk's own $0
	files c | xargs awk '
		FNR == 1 { is_first = 1 }
		is_first && /^#include/ {
			is_first = 0
			name = FILENAME
			sub(/\.c$/, ".h", name)
			base = name
			sub(/.*\//, "", base)
			if ($0 == "#include \"" base "\"")
				print name
		}'
}

not_alone() {
	met >"$room/met"
	files h | grep -vxFf "$room/met" | while read -r h; do
		# shellcheck disable=SC2046,SC2086 # lists of words
		printf '#include "%s"\n#include "%s"\n' "$h" "$h" |
			$CC -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror \
				-Wno-unused-function -fsyntax-only -x c \
				-iquote . -iquote "$build" \
				$(see "$(dirname "$h")") - 2>&1 | head -n 5
	done
}

unguarded() {
	# shellcheck disable=SC2016 # awk's own $2
	files h | xargs awk '
		function ends(found) {
			if (name != "" && !found)
				print name ": no include guard " guard
		}
		FNR == 1 {
			ends(is_there)
			is_there = 0
			name = guard = FILENAME
			sub(/.*\//, "", guard)
			guard = toupper(guard)
			gsub(/[.-]/, "_", guard)
		}
		/^#ifndef / && ("_" $2) ~ ("_" guard "$") { is_there = 1 }
		END { ends(is_there) }'
}

words='each header compiles alone'
if command -v "$CC" >/dev/null 2>&1; then
	claim "$words" not_alone
else
	skip "$words" "no compiler $CC"
fi
claim 'each header has a guard with its name' unguarded
finish
