# SPDX-License-Identifier: GPL-2.0-or-later
#
# For tests of mcctl with mcd stopped: a mcd.conf in a folder of its own, and
# claims about what commands say.
import json
import sqlite3
import subprocess

from mclab import BUILD, claim, room

home = room()
CONF = f"{home}/mcd.conf"
with open(CONF, "w", encoding="utf-8") as f:
    f.write(f'''hostname = "mx.ours.example";
node = 7;
paths = {{ spool = "{home}/spool"; lib = "{home}/lib"; run = "{home}/run";
	libexec = "{BUILD}/libexec/mcgate"; }};
jail = false;
listeners = ( {{ name = "smtp"; address = "127.0.0.1:2525"; }} );
''')


def mcctl(*words):
    return subprocess.run([f"{BUILD}/bin/mcctl", "-c", CONF, *words],
                          check=False, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)


def done(*words):
    got = mcctl(*words)
    claim(got.returncode == 0 and not got.stderr, f"{' '.join(words)}: done",
          got.returncode, got.stdout, got.stderr)
    return got.stdout


def rows(*words):
    return [json.loads(line) for line in done("--json", *words).splitlines()]


def says_no(code, part, *words):
    """It ends with that code, and says so."""
    got = mcctl(*words)
    claim(got.returncode == code and part in got.stderr,
          f"{' '.join(words)}: {code}, says {part!r}", got.returncode,
          got.stderr)


def table(name, sql):
    db = sqlite3.connect(f"{home}/lib/{name}")
    found = db.execute(sql).fetchall()
    db.close()
    return found


def settings():
    return table("settings.db", "SELECT kind, key, value FROM row")
