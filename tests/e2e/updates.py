#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# mc-update: official signatures by freshclam from a mirror served here, and
# third-party ones; what is new is taken while mail flows, what cannot be
# loaded leaves the old in force.
import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import BUILD, Lab, Sink, accept, claim, room  # noqa: E402
from mclab import same, text_mail  # noqa: E402
from smtplab import run  # noqa: E402

top = room()
for sub in ("www", "official", "third", "cache", "bin", "offer"):
    os.mkdir(f"{top}/{sub}")
    os.chmod(f"{top}/{sub}", 0o777)
sink = Sink()
lab = Lab(sink.text, conf=[f'clamav = {{ dir = "{top}/official"; '
                           f'third_party = "{top}/third"; }};'])
ENV = dict(os.environ, MCCTL=f"{BUILD}/bin/mcctl",
           MC_UPDATE_DIR=f"{top}/cache", FRESHCLAM_CONF=f"{top}/freshclam.conf",
           FRESHCLAM_OPTIONS="--no-dns", PATH=f"{top}/bin:" +
           os.environ["PATH"] + ":/usr/sbin")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def serve():
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=f"{top}/www"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def put(path, text):
    with open(f"{top}/{path}", "w", encoding="ascii") as f:
        f.write(text)


def signature(name, words):
    return f"{name}:0:*:{words.encode().hex()}\n"


def update(what):
    return subprocess.run(
        [f"{BUILD}/libexec/mcgate/mc-update", what, "-c",
         f"{lab.dir}/etc/mcd.conf"], env=ENV, check=False, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)


def judged(words, want, claim_words):
    name = accept(lab, text_mail("s", words + "\r\n"))
    claim(lab.logs(rf"{name} verdict {want}"), claim_words, lab.log()[-2000:])


def taken_up(words, times):
    """Engines are loaded beside those in use, then workers follow."""
    return lab.logs(words) and lab.logs(
        r"workers=\d+ have the new signatures", times=times)


def official():
    if not shutil.which("freshclam"):
        same("skipped", "skipped", "freshclam is not installed # SKIP")
        return
    port = serve()
    user = subprocess.run(["id", "-un"], check=True, capture_output=True,
                          text=True).stdout.strip()
    put("freshclam.conf", f"""DatabaseDirectory {top}/official
DatabaseOwner {user}
DatabaseMirror http://127.0.0.1:{port}
ExcludeDatabase daily
ExcludeDatabase main
ExcludeDatabase bytecode
DatabaseCustomURL http://127.0.0.1:{port}/own.ndb
TestDatabases yes
MaxAttempts 1
""")
    judged("a bad thneed", "action=deliver", "unknown before")
    put("www/own.ndb", signature("Test.Virus.1", "a bad thneed"))
    got = update("official")
    claim(got.returncode == 0, "freshclam brings a signature", got.stdout)
    claim(taken_up("antivirus: signatures=1 ", 1), "it is taken up",
          lab.log()[-2000:])
    judged("a bad thneed", "action=quarantine .*Test.Virus.1",
           "and finds its virus, without a restart")
    put("www/own.ndb", "this is no signature\n")
    os.utime(f"{top}/www/own.ndb", (4102444800, 4102444800))
    got = update("official")
    claim(got.returncode != 0 and "the old signatures stay" in got.stdout,
          "one that cannot be loaded is a failure", got.returncode,
          got.stdout)
    with open(f"{top}/official/own.ndb", encoding="ascii") as f:
        claim("Test.Virus.1" in f.read(), "the old one stays")


def third_party():
    put("bin/clamav-unofficial-sigs",
        f"#!/bin/sh\ncp {top}/offer/* {top}/cache/third-party/\n")
    os.chmod(f"{top}/bin/clamav-unofficial-sigs", 0o755)
    put("offer/junk.ndb", signature("Test.Spam.1", "buy cheap thneeds"))
    put("offer/other.ndb", signature("Test.Spam.2", "a word"))
    put("offer/sanesecurity.ftm", "0:0:25504446:My:CL_TYPE_ANY:CL_TYPE_PDF\n")
    renewals = lab.log().count("have the new signatures")
    got = update("third-party")
    claim(got.returncode == 0 and "2 taken, 0 as they were, 0 refused" in
          got.stdout, "third-party signatures are taken", got.stdout)
    same(sorted(os.listdir(f"{top}/third")), ["junk.ndb", "other.ndb"],
         "but not a .ftm, which would take file types away")
    claim(taken_up("clamspam: signatures=2 ", renewals + 1), "they are taken up",
          lab.log()[-2000:])
    judged("now buy cheap thneeds", "action=deliver .*spam .*clamspam",
           "and find their spam")
    put("offer/junk.ndb", "half a signatu")
    put("offer/more.ndb", signature("Test.Spam.3", "another word"))
    got = update("third-party")
    claim(got.returncode == 65 and "1 taken, 1 as they were, 1 refused" in
          got.stdout, "one that cannot be loaded is a failure", got.stdout)
    claim("junk.ndb: cannot be loaded: not taken, the old one stays" in
          got.stdout, "that is named", got.stdout)
    with open(f"{top}/third/junk.ndb", encoding="ascii") as f:
        claim("Test.Spam.1" in f.read(), "and the old one stays")
    claim(lab.logs("clamspam: signatures=3 "), "the others are in force",
          lab.log()[-2000:])


def wrong():
    got = update("nonsense")
    claim(got.returncode == 64 and "usage" in got.stdout,
          "an unknown word is an error", got.stdout)
    got = lab.run("signatures", "take", f"{top}/none")
    same(got.returncode, 66, "as is a folder that is not there")
    os.unlink(f"{top}/bin/clamav-unofficial-sigs")
    if not shutil.which("clamav-unofficial-sigs"):
        got = update("third-party")
        claim(got.returncode == 69 and "apt-get install" in got.stdout,
              "what is not installed is said", got.stdout)


run(official, third_party, wrong)
