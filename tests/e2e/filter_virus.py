#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The antivirus and third-party signatures: what is found in which wrapping,
# new signatures taken up while mail flows, and an engine that is down.
import base64
import io
import lzma
import os
import sys
import zipfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import Lab, Sink, accept, claim, room, same, text_mail  # noqa: E402
from mclab import wait_for  # noqa: E402
from smtplab import run  # noqa: E402

# In two halves, so that no scanner takes this file away.
EICAR = (rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" +
         b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*")
sink = Sink()
dirs = room()
for d in ("official", "third"):
    os.mkdir(f"{dirs}/{d}")
    os.chmod(f"{dirs}/{d}", 0o755)
os.chmod(dirs, 0o755)
lab = Lab(sink.text, conf=[f'clamav = {{ dir = "{dirs}/official"; '
                           f'third_party = "{dirs}/third"; }};'],
          env={"MCGATE_TEST_LOAD": f"{dirs}/wait"})


def zipped(data, names=("eicar.com",), method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name in names:
            z.writestr(name, data)
    return out.getvalue()


def attached(data, name="a.bin"):
    body = base64.encodebytes(data).decode().replace("\n", "\r\n")
    return text_mail(
        "a file", "--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\n"
        f"Content-Type: application/octet-stream; name={name}\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{body}--b--\r\n",
        MIME_Version="1.0", Content_Type="multipart/mixed; boundary=b")


def verdict(data, words, want):
    name = accept(lab, data)
    claim(wait_for(lambda: lab.logs(rf"{name} verdict action={want}", 30)),
          words, lab.log()[-3000:])


def found():
    virus = "quarantine rcpts=1 reason=\"?virus Eicar-Test-Signature"
    plain = text_mail("plain", EICAR.decode() + "\r\n")
    verdict(plain, "the test virus in plain text", virus)
    verdict(b"X-Odd: 1\r\n" + plain, "behind a field nobody knows", virus)
    verdict(attached(EICAR), "as a file", virus)
    verdict(attached(zipped(EICAR)), "in an archive", virus)
    verdict(attached(zipped(zipped(EICAR))), "in an archive in an archive",
            virus)
    verdict(attached(zipped(zipped(EICAR, method=zipfile.ZIP_LZMA))),
            "in one that libclamav cannot unpack, in an archive", virus)
    verdict(attached(lzma.compress(EICAR, format=lzma.FORMAT_ALONE)),
            "in LZMA alone", virus)
    verdict(attached(zipped(b"nothing\n" * 99, method=zipfile.ZIP_LZMA)),
            "nothing in such an archive that is clean",
            "deliver rcpts=1 reason=\"?not spam")
    verdict(attached(b"nothing\n"), "and nothing in what is clean",
            "deliver rcpts=1 reason=\"?not spam")
    same([r for _, r, m in sink.all() if b"EICAR" in m], [],
         "none of it is delivered")


def policy():
    lab.ctl("setting", "set", "virus_action", "delete")
    verdict(attached(EICAR), "deleted where that is set",
            "discard rcpts=1 reason=\"?virus")
    lab.ctl("setting", "set", "filter_antivirus", "no")
    verdict(attached(EICAR), "delivered where it is off", "deliver rcpts=1")
    lab.ctl("setting", "unset", "filter_antivirus")
    lab.ctl("setting", "unset", "virus_action")


def third_party():
    with open(f"{dirs}/third/broken.ndb", "w", encoding="ascii") as f:
        f.write("this is no signature\n")
    with open(f"{dirs}/third/junk.ndb", "w", encoding="ascii") as f:
        f.write("Test.Spam.1:0:*:" + b"buy cheap thneeds".hex() + "\n")
    lab.ctl("reload")
    claim(lab.logs(r"clamspam: signatures=1 ", 30) and
          lab.logs(r"workers=\d+ have the new signatures", 30),
          "new signatures are taken up", lab.log()[-3000:])
    claim(lab.logs(r"signatures \./broken\.ndb left out"),
          "what cannot be loaded is left out, by name")
    verdict(text_mail("x", "now buy cheap thneeds\r\n"),
            "what they find is spam, not a virus",
            r"deliver rcpts=1 reason=\"?spam \S+: clamspam")
    claim(wait_for(lambda: any(b"Subject: {Spam?} x" in m and
                               b"Test.Spam.1.UNOFFICIAL" in m
                               for _, _, m in sink.all())),
          "it is tagged, and the signature named")
    lab.ctl("rule", "set", "Test.Spam.1.UNOFFICIAL", "0")
    verdict(text_mail("x", "now buy cheap thneeds\r\n"),
            "a signature that errs is put right by one command",
            "deliver rcpts=1 reason=\"?not spam")


def no_pause():
    with open(f"{dirs}/wait", "w", encoding="ascii"):
        pass
    with open(f"{dirs}/third/new.ndb", "w", encoding="ascii") as f:
        f.write("Test.Spam.3:0:*:" + b"dear thneed owner".hex() + "\n")
    lab.ctl("reload")
    claim(lab.logs("test hook waits"), "signatures are being loaded")
    verdict(attached(EICAR), "mail is judged meanwhile",
            "quarantine rcpts=1 reason=\"?virus")
    os.unlink(f"{dirs}/wait")
    claim(lab.logs(r"clamspam: signatures=2 ", 30) and
          lab.logs(r"workers=\d+ have the new signatures", 30, 2),
          "and then by the new ones", lab.log()[-3000:])
    verdict(text_mail("x", "dear thneed owner\r\n"), "all of which find",
            r"deliver rcpts=1 reason=\"?spam \S+: clamspam")


def down():
    tmp = f"{lab.dir}/run/scan/tmp"
    os.rename(tmp, tmp + ".away")
    with open(f"{dirs}/third/more.ndb", "w", encoding="ascii") as f:
        f.write("Test.Spam.2:0:*:" + b"another word of it".hex() + "\n")
    lab.kill(lab.pid("filter"))
    name = accept(lab, attached(EICAR))
    claim(lab.logs(rf"{name} not_scanned .*antivirus could not tell", 30),
          "an antivirus that cannot work lets mail wait", lab.log()[-3000:])
    os.rename(tmp + ".away", tmp)
    lab.ctl("reload")
    claim(lab.logs(rf"{name} verdict action=quarantine", 30),
          "until it can, and it is tried again by itself", lab.log()[-3000:])
    lab.balances()


run(found, policy, third_party, no_pause, down)
