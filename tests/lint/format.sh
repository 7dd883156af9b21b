#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# clang-format 14 and .clang-format decide how C is laid out.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

: "${CLANG_FORMAT:=clang-format}"

otherwise() {
	files c h | xargs "$CLANG_FORMAT" --style=file --dry-run 2>&1 |
		awk -F: '/: warning: / && !seen[$1]++ {
			print $1 ": run clang-format -i on it"
		}'
}

words='C is laid out as clang-format 14 does it'
if ! command -v "$CLANG_FORMAT" >/dev/null 2>&1; then
	skip "$words" "no $CLANG_FORMAT"
elif ! "$CLANG_FORMAT" --version | grep -q 'version 14\.'; then
	skip "$words" "$CLANG_FORMAT is not version 14"
else
	claim "$words" otherwise
fi
finish
