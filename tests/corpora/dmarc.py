#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 600
#
# Messages with zone and envelope: the result, and what the domain asks for.
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from suites import IS_ASAN, MCCTL, check, finish, skip, some_of, suite  # noqa

COMMAND = [MCCTL, "test", "dmarc", "{file}", "--ip", "{ip}", "--helo",
           "{helo}", "--from", "{mailfrom}", "--resolver",
           "127.0.0.1@{port}"]
# The first word is then what the domain wants done.
DISPOSITION = ["/bin/sh", "-c",
               "'\"$@\" | sed \"s/.*disposition=\\([a-z]*\\).*/\\1/\"'",
               "sh", *COMMAND]


def expecting_disposition(cases):
    with open(cases, encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    with tempfile.NamedTemporaryFile(
            "w", suffix=".jsonl", delete=False, encoding="utf-8") as out:
        for row in rows:
            row["expect"] = row["disposition"]
            out.write(json.dumps(row) + "\n")
    return out.name


skip("DMARC suite")
cases = some_of(suite("dmarc", "generated", "cases.jsonl"),
                3 if IS_ASAN else 1)
check("dmarc results", "run_cases.py", cases, COMMAND)
check("dmarc dispositions", "run_cases.py", expecting_disposition(cases),
      DISPOSITION)
finish()
