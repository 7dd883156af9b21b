#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 400
# configure, install, uninstall and the part of quickstart that needs no
# network, as a person meets them.
set -eu

src=$MCGATE_SRCDIR
build=$MCGATE_BUILDDIR
room=$(mktemp -d "${TMPDIR:-/tmp}/mcgate-build.XXXXXX")
trap 'rm -rf "$room"' EXIT
unset MAKEFLAGS MFLAGS MAKELEVEL
count=0
failed=0

# claim WORDS COMMAND...: the command succeeds.
claim() {
	words=$1
	shift
	count=$((count + 1))
	if "$@" >"$room/claim" 2>&1; then
		printf 'ok %d - %s\n' "$count" "$words"
	else
		printf 'not ok %d - %s\n' "$count" "$words"
		tail -n 12 "$room/claim" | sed 's/^/# /'
		failed=1
	fi
}

# exits STATUS COMMAND...: it ends with that status; its words are in $room/out.
exits() {
	want=$1
	shift
	got=0
	"$@" >"$room/out" 2>&1 || got=$?
	test "$got" = "$want" || {
		cat "$room/out"
		printf 'exit status %d, not %d\n' "$got" "$want"
		return 1
	}
}

says() {
	grep -q -e "$1" "$room/out" || {
		cat "$room/out"
		return 1
	}
}

# A folder of its own for each run of configure.
configure() {
	rm -rf "$room/b"
	mkdir "$room/b"
	cd "$room/b"
	"$src/configure" "$@"
}

claim 'an unknown option is an error' exits 64 configure --enable-nothing
claim 'and is named' says '--enable-nothing: not an option'
claim 'a library that is needed cannot be left out' \
	exits 64 configure --without-sqlite3
claim 'an unknown library is an error' exits 64 configure --with-nothing
claim 'a relative folder is an error' exits 64 configure --prefix=here
claim 'help is help' exits 0 configure --help
claim 'and lists the libraries' says 'libunbound.*needed'
claim 'no compiler is said' exits 69 configure CC=/nonexistent/cc
# A module of that name is there for pkg-config alone.
claim 'a library that is not there is an error' \
	exits 69 configure PKG_CONFIG=false CPPFLAGS=-DSQLITE3_H=1
claim 'and is named' says 'not found:.* sqlite3'
claim 'its probe is kept' grep -q 'sqlite3_libversion' "$room/b/config.log"
claim 'folders are taken' exits 0 configure --prefix=/opt/mc \
	--sysconfdir=/etc --localstatedir=/var --runstatedir=/run
claim 'and reach the programs' grep -q '"/etc/mcgate/mcd.conf"' config.h
claim 'CFLAGS are taken' exits 0 configure CFLAGS='-O0 -g0'
claim 'and reach the Makefile' grep -qx 'CFLAGS = -O0 -g0' Makefile
claim 'config.status configures the same' exits 0 ./config.status
claim 'with the same flags' grep -qx 'CFLAGS = -O0 -g0' Makefile

staged() {
	find "$room/root" ! -type d | sed "s|^$room/root||" | sort
}

cd "$build"
claim 'make install takes DESTDIR' \
	exits 0 make -s install DESTDIR="$room/root"
has() {
	staged | grep -q "$1\$" || {
		staged
		return 1
	}
}
for path in /sbin/mcd /libexec/mcgate/mcd-filter /bin/mcctl \
	/libexec/mcgate/mcctl-net \
	/etc/mcgate/mcd.conf.example /man8/mcctl.8 /man5/mcd.conf.5 \
	/man7/mcgate-settings.7 /man8/mcd.8 /lib/systemd/system/mcd.service \
	/lib/sysusers.d/mcgate.conf; do
	claim "$path is installed" has "$path"
done
all_is_in_root() {
	! staged | grep -v -e /bin/ -e /sbin/ -e /libexec/ -e /etc/ -e /share/ \
		-e /lib/systemd/system/ -e /lib/sysusers.d/
}
claim 'and nothing elsewhere' all_is_in_root
filled() {
	! grep -n '@[a-z]*@' "$room/root$1"
}
for path in $(staged | grep '/lib/systemd/'); do
	claim "no name is left unfilled in ${path##*/}" filled "$path"
done
mine=$(staged | grep '/etc/mcgate/mcd.conf.example$')
printf 'mine\n' >>"$room/root$mine"
claim 'a second install' exits 0 make -s install DESTDIR="$room/root"
claim 'keeps what was edited' grep -qx mine "$room/root$mine"
claim 'and puts the new one beside it' test -f "$room/root$mine.new"
claim 'make uninstall' exits 0 make -s uninstall DESTDIR="$room/root"
only_mine() {
	test "$(staged)" = "$mine"
}
claim 'leaves only what was edited' only_mine

# A person without root and without packages.
mkdir "$room/bin"
printf '#!/bin/sh\nexit 1\n' >"$room/bin/dpkg-query"
printf '#!/bin/sh\necho 1000\n' >"$room/bin/id"
printf '#!/bin/sh\necho ran >>%s/apt.log\n' "$room" >"$room/bin/apt-get"
chmod +x "$room/bin"/*
claim 'quickstart without root and packages ends with 69' \
	exits 69 env PATH="$room/bin:$PATH" "$src/quickstart" packages test
one_line() {
	test "$(grep -c '^apt-get install .*libsqlite3-dev' "$room/out")" = 1
}
claim 'and says the one apt-get line' one_line
claim 'and has not called apt-get' test ! -e "$room/apt.log"
printf '#!/bin/sh\necho installed\n' >"$room/bin/dpkg-query"
claim 'with all packages there' \
	exits 0 env PATH="$room/bin:$PATH" "$src/quickstart" packages all
claim 'it asks the network nothing' test ! -e "$room/apt.log"
claim 'an unknown word is an error' exits 64 "$src/quickstart" nonsense
claim 'as is an unknown set of packages' \
	exits 64 "$src/quickstart" packages nonsense

printf '1..%d\n' "$count"
exit "$failed"
