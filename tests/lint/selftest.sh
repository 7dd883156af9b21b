#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The checks can fail: each is shown a small tree with one fault a rule, and
# the runner is shown test programs that go wrong in every way it looks for.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

top=$(pwd)
room=$(mktemp -d "${TMPDIR:-/tmp}/mcgate-self.XXXXXX")
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
licence='SPDX-License-Identifier: GPL-2.0-or-later'

# put FILE: standard input, below a licence line, into the faulty tree.
put() {
	mkdir -p "$room/tree/$(dirname "$1")"
	{
		case $1 in
		*.sh) printf '#!/bin/sh\n# %s\n' "$licence" ;;
		*) printf '/* %s */\n' "$licence" ;;
		esac
		cat
	} >"$room/tree/$1"
}

lines() {
	awk -v n="$1" -v s="$2" 'BEGIN { while (n-- > 0) print s }'
}

faulty_tree() {
	mkdir -p "$room/tree/tests/lint" "$room/tree/lib/util"
	cp "$top/tests/lint/vendors.tab" "$room/tree/tests/lint/"
	cp "$top/.clang-format" "$room/tree/"
	printf '#define BANNED_H\n' | put lib/util/banned.h
	printf 'int up;\n' | put lib/core/core.h
	printf '#include "core.h"\n#include <sqlite3.h>\n' | put lib/mail/a.c
	printf 'int a; // slashes\n' | put lib/mail/slash.c
	printf 'int twin;\n' | put mcd/queue/twin.c
	printf 'int twin;\n' | put mcd/store/twin.c
	printf 'int *f(struct nobody s) { return s; }\n' | put lib/mail/sick.h
	{
		printf 'void\nf(void)\n{\n'
		lines 70 '	g();'
		printf '}\n'
	} | put lib/mail/long.c
	lines 701 'int a;' | put lib/mail/longer.c
	printf 'void\nf(void)\n{\n\t\t\t\t\tif (a)\n}\n' | put lib/mail/deep.c
	printf 'int f(void) { return atoi("1") + abort(); }\n' |
		put lib/mail/calls.c
	printf 'int f(void) { fatal(1, "no"); }\n' | put lib/mail/fatal.c
	printf '/* %s */\n' "$(lines 90 x | tr -d '\n')" | put lib/mail/wide.c
	printf '/* %s */\n' "$(lines 20 - | tr -d '\n')" | put lib/mail/line.c
	printf 'int a; \n' | put lib/mail/blank.c
	printf 'char *p = "/%s/x";\n' work | put lib/mail/path.c
	printf 'int a;\n' >"$room/tree/lib/mail/free.c"
	# shellcheck disable=SC2016 # meant as it stands
	printf 'echo $1\n' | put tools/bad.sh
	printf '#!/usr/bin/env python3\nimport numpy\n' >"$room/tree/p.py"
	printf 'ROW(a, "help")\nROW(a, "help.")\n' | put lib/core/rows.def
	printf 'ROW(b, "help"\n' | put lib/core/open.def
}

# Rules that find nothing there, by the words after "ok N - ".
passing() {
	for check in "$top"/tests/lint/*.sh; do
		case $check in */lib.sh | */selftest.sh) continue ;; esac
		MCGATE_SRCDIR=$room/tree sh "$check" 2>/dev/null |
			grep '^ok' | grep -v '# SKIP' || :
	done
}

program() {
	printf '#!/bin/sh\n%s\n' "$2" >"$room/$1"
	chmod +x "$room/$1"
}

# accepted NAME SCRIPT [OPTION...]: says so when the runner passes it.
accepted() {
	name=$1
	program "$name" "$2"
	shift 2
	if MCGATE_BUILDDIR=$room MCGATE_COUNTS=$room/counts \
		"$top/tests/run" "$@" "$room/$name" >"$room/out" 2>&1; then
		printf '%s passes\n' "$name"
	fi
}

wrongly_accepted() {
	accepted failing 'echo "not ok 1 - a"; echo 1..1'
	accepted planless 'echo "ok 1 - a"'
	accepted short 'echo "ok 1 - a"; echo 1..2'
	accepted empty ':'
	accepted status 'echo "ok 1 - a"; echo 1..1; exit 3'
	accepted dying 'echo "ok 1 - a"; echo 1..1; kill -SEGV $$'
	accepted late 'echo "ok 1 - a"; echo 1..1; sleep 60' --deadline 1
	accepted leaving 'setsid sleep 60 & echo "ok 1 - a"; echo 1..1'
	accepted misnumbered 'echo "ok 2 - a"; echo 1..1'
}

wrongly_refused() {
	program good 'echo "ok 1 - a"; echo "ok 2 # SKIP no CORPORA"; echo 1..2'
	rm -f "$room/counts"
	MCGATE_BUILDDIR=$room MCGATE_COUNTS=$room/counts \
		"$top/tests/run" "$room/good" >"$room/out" || cat "$room/out"
	grep -qx '1 0 1' "$room/counts" || cat "$room/counts"
}

faulty_tree
claim 'every check of a tree finds its fault' passing
claim 'the runner notices what goes wrong' wrongly_accepted
claim 'the runner counts passed and skipped' wrongly_refused
finish
