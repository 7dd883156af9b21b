#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Tables of rows (.def): each row has a name of its own; what ends in a help
# text has one that reads like the others; frames have numbers of their own.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

# Prints one row a line: FILE:LINE, the macro, its arguments, tabs between.
rows() {
	files def | while read -r f; do
		awk -v f="$f" '
		{
			line = $0
			# Directives are no rows, nor what continues them.
			if (directive || (text == "" && line ~ /^#/)) {
				directive = line ~ /\\$/
				next
			}
			gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "", line)
			if (inside) {
				if (line !~ /\*\//)
					next
				sub(/.*\*\//, "", line)
				inside = 0
			}
			if (line ~ /\/\*/) {
				sub(/\/\*.*/, "", line)
				inside = 1
			}
			for (i = 1; i <= length(line); i++)
				take(substr(line, i, 1))
		}
		END {
			if (depth || text ~ /[^ \t]/)
				print f ":" NR "\tunclosed\t" text
		}
		function take(c) {
			if (text == "" && c ~ /[ \t#]/)
				return
			if (text == "")
				start = NR
			if (c == "\"" && last != "\\")
				quoted = !quoted
			last = c
			if (!quoted && c == "(" && ++depth == 1)
				c = "\t"
			else if (!quoted && c == "," && depth == 1)
				c = "\t"
			else if (!quoted && c == ")" && --depth == 0) {
				gsub(/[ ]*\t[ \t]*/, "\t", text)
				print f ":" start "\t" text
				text = ""
				return
			}
			if (c == "\t" && depth > 1)
				c = " "
			text = text c
		}' "$f"
	done
}

# A field belongs to the frame above it, any other row to its file.
twins() {
	rows | awk -F'\t' '
	{
		scope = $1
		sub(/:[0-9]*$/, "", scope)
		if ($2 == "FRAME")
			frame = $3
		if ($2 == "END")
			next
		if ($2 ~ /^(STR|BLOB|U8|U16|U32|U64|I64|BOOL)$/)
			scope = scope " " frame
		name = $2 ~ /^(COUNTER|GAUGE)$/ ? $4 : $3
		if ($2 ~ /^COMMAND/)
			name = $3 " " $4
		if (seen[scope " " name]++)
			print $1 ": " name " is there twice"
		if ($2 == "FRAME" && value[$4]++)
			print $1 ": frame number " $4 " is there twice"
	}'
}

unclosed() {
	rows | awk -F'\t' '$2 == "unclosed" || NF < 3 {
		print $1 ": not a row: " $2 " " $3
	}'
}

# Where the last argument is a text, it is a help text.
bad_help() {
	rows | awk -F'\t' '
	$NF !~ /"$/ || $2 == "ROLE" || $2 == "SOURCE" { next }
	$NF ~ /""$/ { print $1 ": " $3 " has no help"; next }
	$NF ~ /\."$/ { print $1 ": the help of " $3 " ends in a full stop" }'
}

claim 'tables consist of rows' unclosed
claim 'each row has a name of its own' twins
claim 'help texts are there and read alike' bad_help
finish
