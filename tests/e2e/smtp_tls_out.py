#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# TLS to next hops: where offered, required, with a certificate that is
# right, and what happens where that cannot be.
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from smtplab import (BUILD, Wide, claim, fate, run, same, send, together,
                     wait_for)

ROOM = tempfile.TemporaryDirectory(prefix="mcgate-tls.")


def certificate():
    """A key and a certificate of its own authority for *.hop.example."""
    key, cert = f"{ROOM.name}/key.pem", f"{ROOM.name}/cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
         cert, "-days", "2", "-subj", "/CN=mx.hop.example", "-addext",
         "subjectAltName=DNS:*.hop.example"], check=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, cert


TLS, CERT = certificate()
WRONG = "certificate of the next hop is not right"
# Kinds of next hops, and whether their names are those of the certificate.
TLS_, PLAIN, FAILS = "has TLS", "has none", "breaks it off"

# by level: kind, has the right name, verb, dsn, tls=, words
LEVELS = {
    "none": [(TLS_, True, "delivered", "2.0.0", "none", "250")],
    "may": [
        (TLS_, True, "delivered", "2.0.0", "TLSv1.3 verified", "250"),
        (TLS_, False, "delivered", "2.0.0", "TLSv1.3 unverified", "250"),
        (PLAIN, True, "delivered", "2.0.0", "none", "250"),
        (FAILS, True, "delivered", "2.0.0", "none", "250")],
    "require": [
        (TLS_, False, "delivered", "2.0.0", "TLSv1.3 unverified", "250"),
        (PLAIN, True, "deferred", "4.7.4", None,
         "TLS is required, and the next"),
        (FAILS, True, "deferred", "4.4.2", None, "connection lost")],
    "verify": [
        (TLS_, True, "delivered", "2.0.0", "TLSv1.3 verified", "250"),
        (TLS_, False, "deferred", "4.7.5", None, WRONG)],
}
# A reload changes what is trusted, but not to nothing by mistake.
LEVELS_AFTER = {
    "verify": [(TLS_, True, "delivered", "2.0.0", "TLSv1.3 verified", "250")],
}
LEVELS_BEFORE = {
    "require": [(TLS_, True, "delivered", "2.0.0", "TLSv1.3 unverified",
                 "250")],
    "verify": [(TLS_, True, "deferred", "4.7.5", None, WRONG)],
}


def break_off(hop, verb, line, session):
    """What follows is no TLS."""
    return False if verb == "STARTTLS" else None


def far(lab, kind, is_right=True):
    words = {"tls": TLS} if kind is TLS_ else {}
    if kind is FAILS:
        words = {"offers": ("STARTTLS",), "answer": break_off}
    return lab.far(under="hop.example" if is_right else "wrong.example",
                   **words)


def one(lab, level, kind, is_right, verb, dsn, tls, words):
    hop = far(lab, kind, is_right)
    line = fate(lab, send(lab, rcpts=[hop.at("r")]), verb, dsn, words,
                hop.at("r"))
    if tls:
        claim(f"tls={tls} " in line.replace('"', ""),
              f"{level}, a next hop that {kind}: {tls}", line)
    else:
        same(len(hop.mails), 0,
             f"{level}, a next hop that {kind}: never in the clear")


def levels(lab, table):
    for level, rows in table.items():
        lab.ctl("setting", "set", "dest_tls", level)
        together(*[lambda row=row: one(lab, level, *row) for row in rows])


def remembered(lab):
    """A next hop whose TLS fails is not asked for it each time."""
    hop = far(lab, FAILS)
    lab.ctl("setting", "set", "dest_tls", "may")
    to = hop.at("r")
    for n in (2, 3):
        fate(lab, send(lab, rcpts=[to]), "delivered", "2.0.0", "250", to)
        claim(wait_for(lambda: len(hop.mails) == n - 1), "it is there")
        same(hop.sessions, n, "the first goes in vain, the next do not")
    rows = lab.rows("dest", "list", hop.name)
    same([(r["address"], r["tls"]) for r in rows],
         [(hop.text, "none")], "dest list names it")
    claim("connection lost" in rows[0]["text"] and
          re.fullmatch(r"[78]\d\ds", rows[0]["kept_for"]),
          "why, and for how long", rows)
    rows = lab.rows("dest", "test", hop.domain)
    claim(any(r["step"] == "failed" for r in rows) and
          any(r["step"] == "MAIL" for r in rows),
          "dest test tries TLS all the same", rows)
    hop.answer, hop.tls = lambda *args: None, TLS
    fate(lab, send(lab, rcpts=[to]), "delivered", "2.0.0", "250", to)
    same(len(hop.mails), 3, "it is kept when TLS works again")
    same(lab.rows("dest", "flush", hop.name), [{"forgotten": 1}],
         "dest flush forgets it")
    line = fate(lab, send(lab, rcpts=[to]), "delivered", "2.0.0", "250", to)
    claim("TLSv1.3 verified" in line, "and TLS is used again", line)


def tested(lab):
    hop = far(lab, TLS_)
    rows = lab.rows("dest", "test", hop.domain)
    claim(any(r["step"] == "TLS" and r["text"].startswith("TLSv1.3 ") and
              r["text"].endswith("certificate verified") for r in rows),
          "dest test shows version, cipher and certificate", rows)
    got = subprocess.run(
        [f"{BUILD}/bin/mcctl", "-c", f"{lab.dir}/etc/mcd.conf", "dest",
         "test", "127.0.0.1:9"], check=False, capture_output=True, text=True,
        stdin=subprocess.DEVNULL)
    same(got.returncode, 75, "a port where nobody is")


def main():
    ca = f"{ROOM.name}/ca.pem"
    lab = Wide(conf=[f'tls_ca = "{ca}";'], retry_first="1h",
               smtp_out_idle_time="0s")
    claim(lab.logs("tls_ca: .*No such file"), "no file of authorities: said")
    levels(lab, LEVELS_BEFORE)
    shutil.copyfile(CERT, ca)
    lab.ctl("reload")
    levels(lab, LEVELS)
    os.unlink(ca)
    lab.ctl("reload")
    levels(lab, LEVELS_AFTER)
    together(lambda: remembered(lab), lambda: tested(lab))
    lab.end()


run(main)
