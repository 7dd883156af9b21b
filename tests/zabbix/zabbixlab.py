# SPDX-License-Identifier: GPL-2.0-or-later
#
# A Zabbix server of Debian's, with its database and its API, in folders of
# its own on free loopback ports: as any user, and as root by the users that
# Debian's packages made.
import atexit
import glob
import gzip
import json
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
from mclab import room, wait_for  # noqa: E402
from snmplab import Process  # noqa: E402

SQL = "/usr/share/zabbix-server-pgsql"
WEB = "/usr/share/zabbix"
START_S = 180


def free_port():
    """Of those that Zabbix takes for its server: up to 32767."""
    while True:
        port = random.randrange(20000, 32767)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def missing():
    """What has to be there and is not, or ""."""
    for path in (f"{SQL}/schema.sql.gz", f"{WEB}/api_jsonrpc.php",
                 "/usr/sbin/zabbix_server", "/usr/sbin/zabbix_agentd",
                 "/usr/bin/php"):
        if not os.path.exists(path):
            return path
    return "" if pg_bin() else "PostgreSQL"


def pg_bin():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    return os.path.dirname(found[-1]) if found else ""


def as_user(name):
    """Words before a program that must not run as root."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam(name)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}",
            "--clear-groups"]


class Zabbix:
    def __init__(self):
        self.dir = room("mcgate-zabbix.")
        os.chmod(self.dir, 0o755)
        self.db = f"{self.dir}/db"
        self.db_port, self.port, self.web_port = (free_port()
                                                  for _ in range(3))
        self.processes = []
        self.token = None
        atexit.register(self.down)

    def down(self):
        for p in reversed(self.processes):
            p.end(signal.SIGINT, 20)
        self.processes = []

    def start(self, *words, log):
        self.processes.append(Process(words, f"{self.dir}/{log}.log"))

    def log(self, name):
        with open(f"{self.dir}/{name}.log", encoding="utf-8",
                  errors="replace") as f:
            return f.read()

    def psql(self, text, database="zabbix", words=()):
        got = subprocess.run(
            ["psql", "-q", *words, "-v", "ON_ERROR_STOP=1", "-h",
             "127.0.0.1", "-p", str(self.db_port), "-U", "zabbix", database],
            check=False, input=text, capture_output=True, text=True)
        if got.returncode != 0:
            raise RuntimeError(got.stderr[-2000:])

    def up_db(self):
        os.mkdir(self.db, 0o700)
        if os.geteuid() == 0:
            shutil.chown(self.db, "postgres", "postgres")
        user = as_user("postgres")
        subprocess.run([*user, f"{pg_bin()}/initdb", "-D", self.db, "-U",
                        "zabbix", "-A", "trust", "-E", "UTF8", "--locale=C",
                        "--no-sync"], check=True, capture_output=True,
                       cwd="/")
        self.start(*user, f"{pg_bin()}/postgres", "-D", self.db, "-k", "",
                   "-h", "127.0.0.1", "-p", str(self.db_port), "-F",
                   log="postgres")

        def is_up():
            try:
                self.psql("SELECT 1", "postgres")
                return True
            except RuntimeError:
                return False
        if not wait_for(is_up, START_S):
            raise RuntimeError(self.log("postgres"))
        self.psql("CREATE DATABASE zabbix", "postgres")
        for name in ("schema", "images", "data"):
            with gzip.open(f"{SQL}/{name}.sql.gz", "rt",
                           encoding="utf-8") as f:
                self.psql(f.read(), words=["-1"])
        # The server's own host asks an agent that is not there.
        self.psql("UPDATE hosts SET status = 1 WHERE status = 0")

    def up_server(self):
        conf = f"{self.dir}/server.conf"
        with open(conf, "w", encoding="ascii") as f:
            f.write(f"""ListenPort={self.port}
ListenIP=127.0.0.1
DBHost=127.0.0.1
DBPort={self.db_port}
DBName=zabbix
DBUser=zabbix
LogType=console
PidFile={self.dir}/server.pid
SocketDir={self.dir}
StartPollers=3
StartDiscoverers=0
StartVMwareCollectors=0
CacheUpdateFrequency=2
FpingLocation=/usr/bin/fping
AllowRoot=1
""")
        self.start("zabbix_server", "-f", "-c", conf, log="server")

    def up_web(self):
        """Debian's pages, by links, with a configuration of our own."""
        web = f"{self.dir}/web"
        os.mkdir(web)
        for name in os.listdir(WEB):
            if name != "conf":
                os.symlink(f"{WEB}/{name}", f"{web}/{name}")
        # PHP finds what is included beside the file that a link leads to.
        for name in ("api_jsonrpc.php", "include"):
            os.unlink(f"{web}/{name}")
        shutil.copy(f"{WEB}/api_jsonrpc.php", web)
        shutil.copytree(f"{WEB}/include", f"{web}/include")
        os.mkdir(f"{web}/conf")
        path = f"{web}/include/classes/core/CConfigFile.php"
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace("/etc/zabbix/zabbix.conf.php",
                                 f"{web}/conf/zabbix.conf.php"))
        if os.path.exists(f"{WEB}/conf/maintenance.inc.php"):
            shutil.copy(f"{WEB}/conf/maintenance.inc.php", f"{web}/conf")
        with open(f"{web}/conf/zabbix.conf.php", "w", encoding="ascii") as f:
            f.write(f"""<?php
$DB['TYPE'] = 'POSTGRESQL';
$DB['SERVER'] = '127.0.0.1';
$DB['PORT'] = '{self.db_port}';
$DB['DATABASE'] = 'zabbix';
$DB['USER'] = 'zabbix';
$DB['PASSWORD'] = 'none';
$DB['SCHEMA'] = '';
$DB['ENCRYPTION'] = false;
$DB['DOUBLE_IEEE754'] = true;
$ZBX_SERVER = '127.0.0.1';
$ZBX_SERVER_PORT = '{self.port}';
$ZBX_SERVER_NAME = 'test';
$IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;
""")
        self.start("php", "-d", "memory_limit=256M", "-d",
                   "error_reporting=E_ALL & ~E_DEPRECATED", "-S",
                   f"127.0.0.1:{self.web_port}", "-t", web, log="web")

    def up(self):
        self.up_db()
        self.up_web()
        self.up_server()

        def is_up():
            try:
                return self.api("apiinfo.version", [])
            except OSError:
                return None
        if not wait_for(is_up, START_S):
            raise RuntimeError(self.log("web"))
        self.token = self.api("user.login", {"username": "Admin",
                                             "password": "zabbix"})
        return self

    def api(self, method, params):
        """The result; an error of the API is raised with its words."""
        body = {"jsonrpc": "2.0", "method": method, "params": params,
                "id": 1}
        if self.token:
            body["auth"] = self.token
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.web_port}/api_jsonrpc.php",
            json.dumps(body).encode(),
            {"Content-Type": "application/json-rpc"})
        with urllib.request.urlopen(request, timeout=120) as reply:
            text = reply.read().decode()
        try:
            got = json.loads(text)
        except ValueError:
            raise RuntimeError(f"{method}: {text[-2000:]}") from None
        if "error" in got:
            raise RuntimeError(f"{method}: {got['error']}")
        return got["result"]

    def load(self, text):
        rule = {"createMissing": True, "updateExisting": True}
        kinds = {k: rule for k in (
            "groups", "templates", "items", "discoveryRules", "triggers",
            "graphs", "templateDashboards", "valueMaps")}
        for k in ("graphs", "triggers", "items", "discoveryRules"):
            kinds[k] = rule
        return self.api("configuration.import", {
            "format": "yaml", "source": text, "rules": kinds})


__all__ = ["Zabbix", "missing"]
