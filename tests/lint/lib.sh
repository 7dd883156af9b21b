# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# For the checks in this folder: each reads the source tree, and prints TAP
# with one test a rule and a line "# FILE:LINE: what" for each offender.
set -eu

cd "${MCGATE_SRCDIR:-$(dirname "$0")/../..}"
lint_count=0
lint_failed=0

# The tree's own files, one a line; not what was built or is test data.
tree() {
	find . \( -path ./.git -o -path ./run -o -path ./tests/data -o \
		-path ./tests/fuzz/corpus -o -name fuzzbuild -o \
		-name covbuild -o -name __pycache__ -o -name 'build*' -o \
		-path ./config.h -o -path ./config.status -o \
		-path ./Makefile -o -path ./tests/log \) -prune -o -type f \
		-print | sed 's|^\./||' | sort
}

# files EXT...: those with these endings.
files() {
	endings=$(printf '%s|' "$@")
	tree | grep -E "\\.(${endings%|})\$"
}

# scripts NAME: those whose first line names that interpreter.
scripts() {
	# shellcheck disable=SC2016 # awk's own $0
	tree | xargs awk -v name="$1" '
	FNR == 1 && /^#!/ && $0 ~ "[/ ]" name "$" { print FILENAME }
	{ nextfile }' /dev/null
}

# code_of FILE...: FILE:LINE:TEXT of C without its comments, with strings empty.
code_of() {
	awk '
	FNR == 1 { inside = 0 }
	{
		line = $0
		if (inside) {
			if (line !~ /\*\//)
				next
			sub(/.*\*\//, "", line)
			inside = 0
		}
		gsub(/\\./, "", line)
		gsub(/\x27"\x27/, "", line)
		gsub(/"[^"]*"/, "\"\"", line)
		gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "", line)
		if (line ~ /\/\*/) {
			sub(/\/\*.*/, "", line)
			inside = 1
		}
		print FILENAME ":" FNR ":" line
	}' "$@" /dev/null
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
