#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 300
# What ./quickstart shows, on the tree that is built already.
set -eu

room=$(mktemp -d "${TMPDIR:-/tmp}/mcgate-quickstart.XXXXXX")
trap 'rm -rf "$room"' EXIT
count=0
failed=0
# As quickstart has them: what is said begins with run/.
top=$room
run=$room/run
mkdir "$run"
ln -s "$MCGATE_BUILDDIR" "$run/build"
ln -s "$MCGATE_SRCDIR/tools" "$top/tools"

say() {
	printf '%s\n' "$*"
}

die() {
	status=$1
	shift
	say "quickstart: $*" >&2
	exit "$status"
}

# shellcheck source=tools/demo
. "$MCGATE_SRCDIR/tools/demo"

demo_build() {
	:
}

# claim WORDS COMMAND...: the command succeeds.
claim() {
	words=$1
	shift
	count=$((count + 1))
	if "$@"; then
		printf 'ok %d - %s\n' "$count" "$words"
	else
		printf 'not ok %d - %s\n' "$count" "$words"
		sed 's/^/# /' "$room/out"
		failed=1
	fi
}

# under TITLE PATTERN: whether the block of a message has such a line.
under() {
	sed -n "/^[0-9]  $1/,/^\$/p" "$room/out" | grep -q -e "$2"
}

ends() {
	(demo --once) >"$room/out" 2>&1 </dev/null
}

look_is_told() {
	under "$1" '^   look  *run/demo/mcctl [a-z]* [0-9a-z]*$'
}

sum_is_told() {
	sed -n '/^4  /,/^$/p' "$room/out" | awk '
	/^   tagged/ { said = $3 + 0 }
	/^ +-?[0-9.]+ [A-Z]/ { sum += $1; n++ }
	END { exit !(n >= 3 && sum > said - 0.5 && sum < said + 0.5) }'
}

nothing_runs() {
	! grep -lF "$room/run/demo" /proc/[0-9]*/cmdline 2>/dev/null
}

claim 'it goes through to its end' ends
claim 'ham is delivered' under 'A message' '^   delivered  *run/demo/received/'
claim 'GTUBE is tagged' under GTUBE '^   tagged .*{Spam?} offer'
claim 'EICAR is in quarantine' under EICAR '^   quarantined .*Eicar'
claim 'and released' under EICAR '^   released .*: 250 2.0.0 stored'
claim 'a phish is tagged' under 'A phish' '^   tagged .*spam .*because:'
for finding in 'AUTH_DMARC_REJECT: .*bank.example' \
	'AUTH_SPF_FAIL: .*203.0.113.66' 'RBL_DEMO_PHISH: login-bank.example'; do
	claim "because of ${finding%%:*}" under 'A phish' "$finding"
done
claim 'and its points add up' sum_is_told
claim 'an unknown recipient is refused' \
	under 'One to a recipient' '^   refused  *550 5.1.1'
claim 'a message is deferred' under 'One while' '^   deferred .*outgoing: 1'
claim 'and delivered' under 'One while' '^   delivered .*at the next try'
for title in 'A message' GTUBE EICAR 'A phish' 'One to a' 'One while'; do
	claim "$title: where to look" look_is_told "$title"
done
claim 'and nothing is left running' nothing_runs

printf '1..%d\n' "$count"
exit "$failed"
