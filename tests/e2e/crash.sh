#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 240
# alone: yes
# The part of the crash matrix that every change must pass; make crash runs
# all of it.
set -eu

exec "$MCGATE_SRCDIR/tests/crash/run" --fixed --build "$MCGATE_BUILDDIR"
