# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# For the checks in this folder: each reads the source tree, and prints TAP
# with one test a rule and a line "# FILE:LINE: what" for each offender.
set -eu

cd "${MCGATE_SRCDIR:-$(dirname "$0")/../..}"
lint_count=0
lint_failed=0

# files EXT...: the tree's own files with these endings, one a line.
files() {
	# shellcheck disable=SC2046 # the arguments of find are words
	find . \( -path ./.git -o -path ./run -o -path ./tests/data -o \
		-path ./tests/fuzz/corpus -o -name fuzzbuild -o \
		-name covbuild -o -name __pycache__ -o -name 'build*' \
		-o -path ./config.h -o -path ./Makefile \) -prune -o -type f \
		\( -false $(for e; do printf ' -o -name *.%s' "$e"; done) \) \
		-print | sed 's|^\./||' | sort
}

# scripts NAME: files whose first line names that interpreter.
scripts() {
	find . \( -path ./.git -o -path ./run -o -path ./tests/data -o \
		-path ./tests/fuzz/corpus -o -name fuzzbuild -o \
		-name covbuild -o -name 'build*' \) -prune -o -type f \
		-size -200k -print | sed 's|^\./||' | sort |
		while read -r f; do
			case $(head -n 1 "$f" | tr -d '\000') in
			'#!'*"$1") printf '%s\n' "$f" ;;
			esac
		done
}

# claim WORDS FUNCTION: the function prints the offenders; there should be none.
claim() {
	lint_count=$((lint_count + 1))
	offenders=$("$2" 2>&1 || :)
	if test -z "$offenders"; then
		printf 'ok %d - %s\n' "$lint_count" "$1"
	else
		printf 'not ok %d - %s\n' "$lint_count" "$1"
		printf '%s\n' "$offenders" | head -n 40 | sed 's/^/# /'
		lint_failed=1
	fi
}

skip() {
	lint_count=$((lint_count + 1))
	printf 'ok %d - %s # SKIP %s\n' "$lint_count" "$1" "$2"
}

finish() {
	printf '1..%d\n' "$lint_count"
	exit "$lint_failed"
}
