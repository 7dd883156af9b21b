#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# mc-update rules: sa-update's rules are taken when all of them together
# pass spamd's own reading, and the old stay when they do not.
import glob
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import BUILD, claim, room, same  # noqa: E402
from smtplab import run  # noqa: E402

top = room()
os.makedirs(f"{top}/rules")
GOOD = "body TEST_THNEED /thneed/\nscore TEST_THNEED 1.5\n"


def archive(version, text):
    """An update as a channel has it, for sa-update --install."""
    path = f"{top}/update-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo("10_test.cf")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text.encode()))
    with open(path, "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    with open(path + ".sha256", "w", encoding="ascii") as f:
        f.write(f"{digest}  {os.path.basename(path)}\n")
    return path


def update(options, path=""):
    return subprocess.run(
        [f"{BUILD}/libexec/mcgate/mc-update", "rules"], check=False, text=True,
        env=dict(os.environ, MC_UPDATE_RULES=f"{top}/rules",
                 SA_UPDATE_OPTIONS=options, HOME=top, MC_UPDATE_USER="",
                 PATH=path + os.environ["PATH"]),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)


def rules():
    found = {}
    for path in glob.glob(f"{top}/rules/*/*/10_test.cf"):
        with open(path, encoding="ascii") as f:
            found[path] = f.read()
    return list(found.values())


def left():
    return [n for n in os.listdir(f"{top}/rules") if n.startswith(".")]


def good():
    got = update(f"--nogpg --install {archive(1000001, GOOD)}")
    claim(got.returncode == 0, "an update is taken", got.stdout)
    claim(len(rules()) == 1 and "TEST_THNEED" in rules()[0],
          "its rules are where spamd looks", got.stdout, rules())
    same(left(), [], "and nothing else is left there")


def bad():
    before = rules()
    got = update("--nogpg --install " +
                 archive(1000002, "body TEST_BROKEN /thneed(/\n"))
    claim(got.returncode != 0 and "the old" in got.stdout,
          "rules that spamd cannot read are a failure", got.returncode,
          got.stdout)
    same(rules(), before, "the old stay")
    same(left(), [], "and nothing else is left there")


def together():
    """sa-update is content, the rules as a whole are not."""
    os.mkdir(f"{top}/bin")
    with open(f"{top}/bin/spamassassin", "w", encoding="ascii") as f:
        f.write("#!/bin/sh\necho 'lint: 1 issues detected'\nexit 1\n")
    os.chmod(f"{top}/bin/spamassassin", 0o755)
    before = rules()
    got = update("--nogpg --install " +
                 archive(1000003, GOOD + "score TEST_THNEED 2\n"),
                 f"{top}/bin:")
    claim(got.returncode == 65 and "--lint: not passed; the old" in got.stdout,
          "rules that do not go together are a failure", got.stdout)
    same(rules(), before, "the old stay here too")


if not shutil.which("sa-update"):
    print("1..0 # SKIP sa-update is not installed")
    sys.exit(0)
run(good, bad, together)
