#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A vendor's header is included in one place only; vendors.tab holds which.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

table=tests/lint/vendors.tab

# may_include FILE HEADER
may_include() {
	while read -r header places; do
		# shellcheck disable=SC2254 # the table holds patterns
		case $2 in
		$header) ;;
		*) continue ;;
		esac
		set -f
		for place in $places; do
			# shellcheck disable=SC2254 # as above
			case $1 in
			$place)
				set +f
				return 0
				;;
			esac
		done
		set +f
		return 1
	done <"$table"
	return 0
}

strays() {
	# shellcheck disable=SC2046 # one word a file
	grep -n '^[[:space:]]*#[[:space:]]*include[[:space:]]*<' \
		$(files c h | grep -v '^tests/') /dev/null |
		while IFS=: read -r file line text; do
			header=${text#*<}
			header=${header%%>*}
			may_include "$file" "$header" ||
				printf '%s:%s: <%s> belongs elsewhere: %s\n' \
					"$file" "$line" "$header" "$table"
		done
}

claim "each vendor's header stays in its place" strays
finish
