# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion of mcctl for bash: mcctl itself says what may follow.
_mcctl()
{
	local line=${COMP_LINE:0:COMP_POINT} typed word tail strip
	local -a words

	# bash parts words at : = and @ too, mcctl does not.
	read -ra words <<<"$line"
	case $line in *[[:space:]]) words+=('') ;; esac
	typed=${words[${#words[@]} - 1]}
	tail=${typed##*[:=]}
	case $tail in *@*) tail=@${tail##*@} ;; esac
	strip=${typed%"$tail"}
	COMPREPLY=()
	while IFS=$'\t' read -r word _; do
		case $word in
		:files) compopt -o default ;;
		*)
			COMPREPLY+=("${word#"$strip"}")
			case $word in *:) compopt -o nospace ;; esac
			;;
		esac
	done < <("$1" complete -- "${words[@]:1}" 2>/dev/null)
}
complete -F _mcctl mcctl
