# shellcheck shell=sh disable=SC2034 # read by quickstart
# SPDX-License-Identifier: GPL-2.0-or-later
# What mcgate needs of Debian 12. An entry is a package, or package:command
# where a command of that name from anywhere will do.

# To build and to run the demonstration.
packages_build='
gcc:gcc
libc6-dev
make:make
pkg-config:pkg-config
libevent-dev
libsqlite3-dev
libconfig-dev
libunbound-dev
libseccomp-dev
libssl-dev
libspf2-dev
libclamav-dev
liblzma-dev
libopendkim-dev
libopendmarc-dev
libpsl-dev
libsnmp-dev
libidn2-dev
libunistring-dev
libncurses-dev
python3:python3
'

# For the test suite besides.
packages_test='
clang:clang
llvm:llvm-symbolizer
libclang-rt-14-dev
clang-format-14:clang-format-14
shellcheck:shellcheck
openssl:openssl
haproxy:haproxy
iproute2:ip
swaks:swaks
postfix:postfix
python3-yaml
spamassassin
spamd
pyzor:pyzor
python3-gdbm
razor
clamav-freshclam:freshclam
nsd:nsd
unbound:unbound
snmpd
snmp:snmpget
snmptrapd
smitools:smilint
bash:bash
zsh:zsh
fish:fish
prometheus:promtool
rspamd:rspamd
'
