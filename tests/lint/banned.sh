#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Calls that banned.h makes compile errors, and those that it cannot poison
# because a header of the system needs their names.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

words='strcpy strcat strncpy strncat sprintf vsprintf gets strtok atoi atol
atoll asctime ctime gmtime localtime tmpnam mktemp alloca strdupa system popen
sscanf fscanf scanf usleep'

# calls WORDS FILES: where one of the words is called.
calls() {
	pattern=$(printf '%s' "$1" | tr '\n' ' ' | sed 's/ /|/g')
	# shellcheck disable=SC2086 # one word a file
	code_of $2 | grep -E "(^|[^[:alnum:]_.>])($pattern)[[:space:]]*\\("
}

banned() {
	calls "$words" "$(files c h | grep -v -e '^tests/' -e '/banned\.h$')"
}

compiling() {
	for word in strcpy sprintf gets strtok atoi localtime mktemp; do
		if printf '#include <%s>\n' stdio.h stdlib.h string.h time.h |
			sed "\$a #include \"banned.h\"
				\$a void *f(void) { return (void *)$word; }" |
			"${CC:-cc}" -D_GNU_SOURCE -fsyntax-only -x c \
				-iquote lib/util - 2>/dev/null; then
			printf '%s compiles\n' "$word"
		fi
	done
}

asserts() {
	calls 'assert abort' "$(files c h |
		grep -v -e '^tests/' -e '^lib/util/' -e '/test_hook\.c$')"
}

fatals() {
	calls 'fatal fatal_errno' "$(files c h |
		grep -E '^(lib/(mail|core|tui)|mcctl|mctop)/' |
		grep -v '/main\.c$')"
}

claim 'no banned call' banned
claim 'banned.h makes them compile errors' compiling
claim 'no assert or abort above lib/util' asserts
claim 'only roles and mains call fatal()' fatals
finish
