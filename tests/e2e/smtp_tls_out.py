#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# TLS to next hops: where offered, required, with a certificate that is
# right, and what happens where that cannot be.
# deadline: 240
import json
import os
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from smtplab import (BUILD, Hop, Lab, Names, claim, fate, run, same, send)

ROOM = tempfile.TemporaryDirectory(prefix="mcgate-tls.")
DNS = Names({"mx.hop.example": {"A": "127.0.0.1"},
             "client.example": {"A": "127.0.0.1"},
             "other.hop.example": {"A": "127.0.0.1"}})


def certificate():
    """A key and a certificate of its own authority for mx.hop.example."""
    key, cert = f"{ROOM.name}/key.pem", f"{ROOM.name}/cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
         cert, "-days", "2", "-subj", "/CN=mx.hop.example", "-addext",
         "subjectAltName=DNS:mx.hop.example"], check=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, cert


TLS, CERT = certificate()


def lab_to(hop, host, level, ca=CERT):
    return Lab(f"{host}:{hop.port}", resolver=DNS.text, dest_tls=level,
               conf=[f'tls_ca = "{ca}";'], retry_first="1h")


def levels():
    hop = Hop(tls=TLS)
    for level, host, ca, verb, dsn, tls, words in (
            ("may", "mx.hop.example", CERT, "delivered", "2.0.0",
             "TLSv1.3 verified", "250"),
            ("may", "other.hop.example", CERT, "delivered", "2.0.0",
             "TLSv1.3 unverified", "250"),
            ("none", "mx.hop.example", CERT, "delivered", "2.0.0", "none",
             "250"),
            ("require", "mx.hop.example", "", "delivered", "2.0.0",
             "TLSv1.3 unverified", "250"),
            ("verify", "mx.hop.example", CERT, "delivered", "2.0.0",
             "TLSv1.3 verified", "250"),
            ("verify", "other.hop.example", CERT, "deferred", "4.7.5", None,
             "certificate of the next hop is not right"),
            ("verify", "mx.hop.example", "", "deferred", "4.7.5", None,
             "certificate of the next hop is not right")):
        lab = lab_to(hop, host, level, ca)
        line = fate(lab, send(lab), verb, dsn, words)
        if tls:
            claim(f"tls={tls} " in line.replace('"', ""),
                  f"{level} to {host}: {tls}", line)
        lab.end()


def not_offered():
    hop = Hop()
    for level, verb, dsn, words in (
            ("may", "delivered", "2.0.0", "250"),
            ("require", "deferred", "4.7.4", "TLS is required, and the next")):
        lab = lab_to(hop, "mx.hop.example", level)
        fate(lab, send(lab), verb, dsn, words)
        lab.end()


def broken():
    """STARTTLS is offered, and what follows is no TLS."""
    def answer(hop, verb, line, session):
        return False if verb == "STARTTLS" else None
    hop = Hop(answer, offers=("STARTTLS",))
    for level, verb, dsn, words in (
            ("may", "delivered", "2.0.0", "250"),
            ("require", "deferred", "4.4.2", "connection lost")):
        before = len(hop.mails)
        lab = lab_to(hop, "mx.hop.example", level)
        line = fate(lab, send(lab), verb, dsn, words)
        if verb == "delivered":
            claim("tls=none " in line, "in the clear then", line)
        else:
            same(len(hop.mails), before, "never in the clear")
        lab.end()


def tested():
    hop = Hop(tls=TLS)
    lab = lab_to(hop, "mx.hop.example", "may")
    rows = [json.loads(x) for x in lab.ctl(
        "--json", "dest", "test", "ours.example").splitlines()]
    claim(any(r["step"] == "TLS" and r["text"].startswith("TLSv1.3 ") and
              r["text"].endswith("certificate verified") for r in rows),
          "dest test shows version, cipher and certificate", rows)
    got = subprocess.run(
        [f"{BUILD}/bin/mcctl", "-c", f"{lab.dir}/etc/mcd.conf", "dest",
         "test", "127.0.0.1:9"], check=False, capture_output=True, text=True,
        stdin=subprocess.DEVNULL)
    same(got.returncode, 75, "a port where nobody is")
    lab.end()


run(levels, not_offered, broken, tested)
