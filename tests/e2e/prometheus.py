#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 120
#
# mc-exporter: both forms of its page, by promtool and by a real Prometheus;
# numbers of a gateway; rules that fire; a dashboard that asks for what there
# is; clients that misbehave; mcd down.
import atexit
import http.client
import json
import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import (BUILD, SRC, Lab, Sink, accept, claim, room,  # noqa: E402
                   same, text_mail, wait_for)
from smtplab import run  # noqa: E402
from snmplab import Process  # noqa: E402

OPEN = "application/openmetrics-text; version=1.0.0"
RULES = f"{SRC}/share/prometheus/mcgate.rules.yml"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


sink = Sink()
port, server_port = free_port(), free_port()
dir_ = room("mcgate-prometheus.")
lab = Lab(sink.text, conf=(
    f'prometheus = {{ listen = "127.0.0.1:{port}"; }};',
    "alert = { hold_s = 0; };"))
exporter = Process([f"{BUILD}/sbin/mc-exporter", "-f", "-c",
                    f"{lab.dir}/etc/mcd.conf"], f"{dir_}/exporter.log")
with open(f"{dir_}/prometheus.yml", "w", encoding="ascii") as f_:
    f_.write(f"""global: {{scrape_interval: 1s, evaluation_interval: 1s}}
scrape_configs:
  - job_name: mcgate
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
""")
server = Process(["prometheus", f"--config.file={dir_}/prometheus.yml",
                  f"--storage.tsdb.path={dir_}/data",
                  f"--web.listen-address=127.0.0.1:{server_port}"],
                 f"{dir_}/server.log")
atexit.register(lambda: [p.end(signal.SIGKILL) for p in (exporter, server)])


def log():
    with open(f"{dir_}/exporter.log", encoding="utf-8") as f:
        return f.read()


def ask(path="/metrics", method="GET", to=None, **headers):
    c = http.client.HTTPConnection("127.0.0.1", to or port, timeout=20)
    try:
        c.request(method, path, headers=headers)
        r = c.getresponse()
        return r.status, r.getheader("Content-Type"), r.read().decode()
    except OSError as e:
        return 0, "", str(e)
    finally:
        c.close()


def page():
    return ask()[2]


def number(name):
    found = re.search(rf"^{re.escape(name)} (\S+)$", page(), re.M)
    return float(found[1]) if found else None


def promtool(*words, text=None):
    got = subprocess.run(["promtool", *words], check=False, input=text,
                         capture_output=True, text=True)
    return got.returncode, got.stdout + got.stderr


def forms():
    claim(wait_for(lambda: ask()[0] == 200), "the page is there", log())
    for i in range(3):
        accept(lab, text_mail(f"number {i}"))
    sink.got(3)
    want = {"mcgate_in_messages_total": 3,
            'mcgate_domain_delivered_total{domain="ours.example"}': 3,
            "mcgate_queue_outgoing": 0, "mcgate_status_state": 1}
    for name, n in want.items():
        claim(wait_for(lambda name=name, n=n: number(name) == n),
              f"{name} is {n}", page())
    status, kind, text = ask()
    same((status, kind), (200, "text/plain; version=0.0.4; charset=utf-8"),
         "by default as text")
    same(promtool("check", "metrics", text=text), (0, ""),
         "promtool has nothing to say")
    claim(promtool("check", "metrics", text=text.replace(
        "# HELP mcgate_in_open ", "# HALP mcgate_in_open "))[0] != 0,
        "and sees what is wrong")
    status, kind, text = ask(Accept=OPEN)
    same((status, kind), (200, OPEN + "; charset=utf-8"), "or OpenMetrics")
    claim(text.endswith("\n# EOF\n"), "which has its end", text[-80:])
    names = re.findall(r"^# TYPE (\S+)", text, re.M)
    same(sorted(set(names)), sorted(names), "each family is there once")
    same([n for n in names if f"# HELP {n} " not in text], [],
         "and has its words")
    units = re.findall(r"^# UNIT (\S+) (\S+)", text, re.M)
    same([n for n, u in units if not n.endswith(u)], [],
         "names end with their unit")


def real_server():
    def query(text):
        got = ask(f"/api/v1/query?query={urllib.parse.quote(text)}",
                  to=server_port)
        rows = json.loads(got[2])["data"]["result"] if got[0] == 200 else []
        return [r["value"][1] for r in rows]

    claim(wait_for(lambda: query('up{job="mcgate"}') == ["1"], 60),
          "a real Prometheus reads it", ask(to=server_port), log())
    claim(wait_for(lambda: query("mcgate_in_messages_total") == ["3"]),
          "and has the numbers", query("mcgate_in_messages_total"))


def rules():
    code, said = promtool("check", "rules", RULES)
    same(code, 0, "rules are well formed")
    test = f"""rule_files: [{RULES}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {{series: 'mcgate_status_state{{instance="a"}}',
          values: "1x5 4x5 1x5"}}
      - {{series: 'mcgate_event_active{{instance="a",event="mcAlertParked"}}',
          values: "0x5 1x5 0x5"}}
    alert_rule_test:
"""
    for at, want in ((3, False), (9, True), (14, False)):
        for alert, labels in (
                ("McgateDown", "{severity: critical, instance: a}"),
                ("McgateEvent", "{severity: warning, instance: a, "
                                "event: mcAlertParked}")):
            test += f"      - {{eval_time: {at}m, alertname: {alert}, " \
                    f"exp_alerts: [{'{exp_labels: %s}' if want else ''}]}}\n" \
                .replace("%s", labels)
    # What annotations say is not this test's; the rules without them are.
    with open(RULES, encoding="utf-8") as f:
        bare = re.sub(r"(?m)^        annotations:\n(?:          .*\n)+", "",
                      f.read())
    with open(f"{dir_}/bare.yml", "w", encoding="utf-8") as f:
        f.write(bare)
    with open(f"{dir_}/test.yml", "w", encoding="utf-8") as f:
        f.write(test.replace(RULES, f"{dir_}/bare.yml"))
    code, said = promtool("test", "rules", f"{dir_}/test.yml")
    claim(code == 0, "they fire and are over", said)
    board = runpy.run_path(f"{SRC}/tools/grafana-dashboard")["dashboard"]()
    with open(RULES, encoding="utf-8") as f:
        asked = set(re.findall(r"\bmcgate_\w+", f.read() + json.dumps(board)))
    text = page()
    module = subprocess.run([f"{BUILD}/sbin/mc-snmp-agent", "-m"],
                            check=True, capture_output=True, text=True).stdout
    # A table without a row is not on the page: its name is in the MIB.
    known = {"mcgate_" + re.sub(r"([A-Z])", lambda m: "_" + m[1].lower(),
                                n).lstrip("_")
             for n in re.findall(r"^mc(\w+) OBJECT-TYPE", module, re.M)}
    same(sorted(a for a in asked if not re.search(rf"^{a}[ {{]", text, re.M)
                and re.sub(r"_(total|seconds|bytes|seconds_total)$", "", a)
                not in known), [],
         "they and the dashboard ask for what there is")


def slow():
    s = socket.create_connection(("127.0.0.1", port))
    s.settimeout(0.01)
    s.sendall(b"GET /met")
    return s


def ended(s):
    """Sends a byte; whether that is not wanted any more."""
    try:
        s.sendall(b"x")
        return s.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def clients():
    same(ask("/")[0], 404, "another page: 404")
    same(ask("/metrics/../../etc/passwd")[0], 404, "nor is there a file")
    claim(ask(method="POST")[0] in (405, 501), "POST is refused")
    claim(ask(Accept="x" * 20000)[0] in (0, 400, 413),
          "headers without end are refused")
    idle = [slow() for _ in range(20)]
    same(ask()[0], 200, "those that hang keep nobody else waiting")
    # Those that fit, and the others in the queue of the kernel.
    idle += [slow() for _ in range(25)]
    fds = os.listdir(f"/proc/{exporter.p.pid}/fd")
    claim(len(fds) < 60, "only so many are let in", fds)
    claim(wait_for(lambda: ask()[0] == 200),
          "who comes then is served in his turn")
    claim(wait_for(lambda: ended(idle[0])), "a byte now and then keeps no "
          "connection")
    for s in idle:
        s.close()
    claim(exporter.is_up(), "it lives", log())
    for value in ("0.0.0.0:9725", "192.0.2.1:9725", "127.0.0.1", "here:1",
                  "127.0.0.1:0"):
        got = subprocess.run(
            [f"{BUILD}/sbin/mc-exporter", "-c", f"{lab.dir}/etc/mcd.conf",
             "-l", value], check=False, capture_output=True, text=True)
        same((got.returncode, "loopback" in got.stderr), (64, True),
             f"-l {value} is refused")
    got = subprocess.run(
        [f"{BUILD}/sbin/mc-exporter", "-c", f"{lab.dir}/etc/mcd.conf"],
        check=False, capture_output=True, text=True, timeout=30)
    claim(got.returncode == 71 and "in use" in got.stdout + got.stderr,
          "an address in use is said", got)


def down():
    lab.crash()
    claim(wait_for(lambda: number("mcgate_status_state") == 4),
          "mcd killed: it says so", page())
    claim(wait_for(lambda: number(
        'mcgate_event_active{event="mcAlertDown"}') == 1),
        "so does its event", page())
    same(number("mcgate_in_messages_total"), None, "and has no numbers")
    same(exporter.end(), 0, "it ends well")


run(forms, real_server, rules, clients, down)
