#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 600
#
# The two suites of the RFCs, a zone each scenario.
import importlib.util
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from suites import MCCTL, check, finish, skip, suite  # noqa

skip("SPF suites")
if importlib.util.find_spec("yaml") is None:
    print("ok 1 - SPF suites # SKIP CORPORA's tool needs python3-yaml\n1..1")
    sys.exit(0)
COMMAND = [MCCTL, "test", "spf", "--ip", "{ip}", "--helo", "{helo}",
           "--from", "{mailfrom}", "--resolver", "127.0.0.1@{port}"]
for name, cases in (("rfc7208", 203), ("rfc4408", 191)):
    check(f"spf {name}", "run_spf.py", suite("spf", f"{name}-tests.yml"),
          COMMAND, cases)
finish()
