# SPDX-License-Identifier: GPL-2.0-or-later
#
# A terminal for tests: a program in a pseudo-terminal of its own, keys typed
# into it, and the screen that its output makes, by a small emulator of what
# TERM=xterm-256color promises.
import atexit
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
import unicodedata

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(
    os.path.dirname(__file__))), "e2e"))
from smtplab import WAIT_S, claim, same, wait_for  # noqa: E402

CSI = re.compile(rb"\x1b\[([?>=]?)([0-9;]*)([ !]?)([@-~])")
OTHER = re.compile(rb"\x1b(?:[()][0-9A-Z]|[=>78cDEHM]|\][^\x07\x1b]*"
                   rb"(?:\x07|\x1b\\))")
KEYS = {"up": b"\x1bOA", "down": b"\x1bOB", "right": b"\x1bOC",
        "left": b"\x1bOD", "home": b"\x1bOH", "end": b"\x1bOF",
        "pgup": b"\x1b[5~", "pgdn": b"\x1b[6~", "f1": b"\x1bOP",
        "f10": b"\x1b[21~", "backtab": b"\x1b[Z", "enter": b"\r",
        "tab": b"\t", "esc": b"\x1b", "backspace": b"\x7f"}


class Screen:
    """Cells, a cursor, and the modes that a program has set."""

    def __init__(self, cols, rows):
        self.row = self.col = 0
        self.attrs = []
        self.modes = set()
        self.unknown = []
        self.rest = b""
        self.last = " "
        self.resize(cols, rows)

    def resize(self, cols, rows):
        self.cols, self.rows = cols, rows
        self.cells = [[" "] * cols for _ in range(rows)]
        self.inks = [[()] * cols for _ in range(rows)]
        self.top, self.bottom = 0, rows - 1
        self.row, self.col = min(self.row, rows - 1), min(self.col, cols - 1)

    def text(self):
        return "\n".join("".join(r).rstrip() for r in self.cells).rstrip("\n")

    def feed(self, data):
        data = self.rest + data
        at = 0
        while at < len(data):
            if data[at] == 0x1b:
                found = CSI.match(data, at) or OTHER.match(data, at)
                if not found:
                    if len(data) - at < 64:
                        break
                    self.unknown.append(data[at:at + 16])
                    at += 1
                    continue
                if found.re is CSI:
                    self.control(*found.groups())
                elif found.group() == b"\x1bM" and self.row == self.top:
                    self.scroll(-1)
                elif found.group() == b"\x1bM":
                    self.row = max(self.row - 1, 0)
                at = found.end()
            elif data[at] < 0x20:
                self.plain(data[at])
                at += 1
            else:
                n = 1 if data[at] < 0x80 else 2 if data[at] < 0xe0 else \
                    3 if data[at] < 0xf0 else 4
                if at + n > len(data):
                    break
                self.put(data[at:at + n].decode("utf-8", "replace"))
                at += n
        self.rest = data[at:]

    def plain(self, c):
        if c == 8:
            self.col = max(self.col - 1, 0)
        elif c == 10 and self.row == self.bottom:
            self.scroll(1)
        elif c == 10:
            self.row = min(self.row + 1, self.rows - 1)
        elif c == 13:
            self.col = 0
        elif c == 9:
            self.col = min(self.col // 8 * 8 + 8, self.cols - 1)

    def put(self, char):
        if self.col >= self.cols:
            self.col = 0
            self.row = min(self.row + 1, self.rows - 1)
        wide = unicodedata.east_asian_width(char) in "WF"
        self.cells[self.row][self.col] = char
        self.inks[self.row][self.col] = tuple(self.attrs)
        if wide and self.col + 1 < self.cols:
            self.cells[self.row][self.col + 1] = ""
        self.col += 1 + wide
        self.last = char

    def blank(self, row, start, end):
        for col in range(start, min(end, self.cols)):
            self.cells[row][col] = " "
            self.inks[row][col] = tuple(self.attrs)  # "bce" of terminfo

    def scroll(self, n):
        for _ in range(abs(n)):
            for rows, empty in ((self.cells, " "), (self.inks, ())):
                fresh = [empty] * self.cols
                if n > 0:
                    del rows[self.top]
                    rows.insert(self.bottom, fresh)
                else:
                    del rows[self.bottom]
                    rows.insert(self.top, fresh)

    def control(self, kind, words, _, verb):
        n = [int(w) if w else 0 for w in words.split(b";")]
        one = max(n[0], 1)
        verb = verb.decode()
        if kind == b"?" and verb in "hl":
            for mode in n:
                (self.modes.add if verb == "h" else
                 self.modes.discard)(mode)
        elif kind:
            pass
        elif verb == "H":
            self.row = min(one, self.rows) - 1
            self.col = min(max(n[1] if len(n) > 1 else 1, 1), self.cols) - 1
        elif verb in "AB":
            self.row = min(max(self.row + (one if verb == "B" else -one), 0),
                           self.rows - 1)
        elif verb in "CD":
            self.col = min(max(self.col + (one if verb == "C" else -one), 0),
                           self.cols - 1)
        elif verb == "G":
            self.col = min(one, self.cols) - 1
        elif verb == "d":
            self.row = min(one, self.rows) - 1
        elif verb == "J":
            first = 0 if n[0] == 2 else self.row + 1
            if n[0] == 0:
                self.blank(self.row, self.col, self.cols)
            last = self.row if n[0] == 1 else self.rows
            for row in range(0 if n[0] == 1 else first, last):
                self.blank(row, 0, self.cols)
        elif verb == "K":
            self.blank(self.row, 0 if n[0] else self.col,
                       self.col + 1 if n[0] == 1 else self.cols)
        elif verb == "X":
            self.blank(self.row, self.col, self.col + one)
        elif verb == "b":
            for _ in range(one):
                self.put(self.last)
        elif verb == "P":
            row = self.cells[self.row]
            del row[self.col:self.col + one]
            row += [" "] * (self.cols - len(row))
        elif verb == "@":
            row = self.cells[self.row]
            row[self.col:self.col] = [" "] * one
            del row[self.cols:]
        elif verb in "LM":
            top, self.top = self.top, self.row
            self.scroll(one if verb == "M" else -one)
            self.top = top
        elif verb in "ST":
            self.scroll(one if verb == "S" else -one)
        elif verb == "r":
            self.top = max(one - 1, 0)
            self.bottom = (n[1] if len(n) > 1 and n[1] else self.rows) - 1
            self.row = self.col = 0
        elif verb == "m":
            self.attrs = [] if n == [0] else self.attrs + n
        elif verb not in "hlnct":
            self.unknown.append((kind, words, verb))


class Tty:
    """A program on a terminal of its own, of so many columns and rows."""

    def __init__(self, argv, cols=80, rows=24, env=None, utf8=True):
        self.screen = Screen(cols, rows)
        self.status = None
        environment = dict(os.environ)
        environment.update({"TERM": "xterm-256color", "TZ": "UTC",
                            "LC_ALL": "C.UTF-8" if utf8 else "C",
                            **(env or {})})
        for name in ("NO_COLOR", "COLORFGBG", "COLUMNS", "LINES"):
            if name not in (env or {}):
                environment.pop(name, None)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ,
                        struct.pack("HHHH", rows, cols, 0, 0))
            try:
                os.execvpe(argv[0], argv, environment)
            finally:
                os._exit(127)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, cols, 0, 0))
        self.before = None
        self.raw = b""
        atexit.register(self.close)

    def read(self, seconds=0.02):
        """Takes what there is; False when the program has closed."""
        if self.fd < 0:
            return False
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        if not data:
            return False
        self.raw = (self.raw + data)[-100000:]
        self.screen.feed(data)
        return True

    def shows(self, want, seconds=WAIT_S):
        """Waits until the screen has a text, or a pattern's match, or until
        want(text) is true; the screen then, or None."""
        end = time.monotonic() + seconds
        is_so = want if callable(want) else (
            want.search if hasattr(want, "search") else
            lambda text: want in text)
        while True:
            text = self.screen.text()
            if is_so(text):
                return text
            if time.monotonic() > end or not self.read():
                text = self.screen.text()
                return text if is_so(text) else None

    def type(self, *keys):
        for key in keys:
            os.write(self.fd, KEYS.get(key, key.encode()
                                       if isinstance(key, str) else key))

    def resize(self, cols, rows):
        self.screen.resize(cols, rows)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, cols, 0, 0))

    def signal(self, sig):
        os.kill(self.pid, sig)

    def poll(self):
        """The status once it has ended, else None."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = status
        return self.status

    def ends(self, seconds=WAIT_S):
        """Waits for its end; the exit code, minus a signal, or None."""
        end = time.monotonic() + seconds
        while self.poll() is None and time.monotonic() < end:
            self.read()
        while self.poll() is not None and self.read(0):
            ready, _, _ = select.select([self.fd], [], [], 0)
            if not ready:
                break
        return None if self.status is None else \
            os.waitstatus_to_exitcode(self.status)

    def is_stopped(self):
        """Of the program itself, not of one that it has started."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii",
                  errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0] == "T"

    def local_modes(self):
        """ECHO and ICANON of the terminal, as a shell wants both."""
        flags = termios.tcgetattr(self.fd)[3]
        return bool(flags & termios.ECHO), bool(flags & termios.ICANON)

    def is_sane(self):
        """No other screen, a cursor, no paste marks, lines and echo."""
        return not self.screen.modes & {1049, 2004, 1000, 1006} and \
            not self.hides_cursor() and self.local_modes() == (True, True)

    def hides_cursor(self):
        last = re.findall(rb"\x1b\[\?(?:12;)?25([hl])", self.raw)
        return bool(last) and last[-1] == b"l"

    def close(self):
        if self.fd < 0:
            return
        if self.poll() is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            os.waitpid(self.pid, 0)
            self.status = 0
        os.close(self.fd)
        self.fd = -1


FIGURE = re.compile(r"(?<![a-z])-?\d[\d.,:]*(?:[BKMGTkms%]|h\d\d?m?|d\d\d?h?)?"
                    r"(?:/s)?(?![a-z])")


def outline(text):
    """A screen with what differs each time taken out: figures become #,
    drawings go, blanks between words become one."""
    lines = []
    for line in text.split("\n"):
        line = re.sub(r"\[[| \d.%A-Z/a-z-]*\]", "[meter]", line)
        line = re.sub(r"(?<= )-(?=/s| |$)", "0", line)
        line = re.sub("[\u2800-\u28ff\u2588-\u258f\u00b7]+", "", line)
        line = re.sub(r" [_.=#%x-]+(?= |$)", " ", line)
        line = FIGURE.sub("#", line)
        line = re.sub(" +", " ", line)
        lines.append(line.rstrip())
    return "\n".join(lines)


SIZES = ((1, 1), (3, 2), (39, 12), (40, 11), (500, 3), (2, 90), (200, 60),
         (80, 24))
GARBAGE = (b"\x1b[200~quit\x1b[31mqqq\x00\xff\x1b[201~",
           bytes(range(128, 256)), b"\x1b[99;99;99X", b"\x1b]0;x\x07")


def lives_through_sizes(t, key):
    for cols, rows in SIZES:
        t.resize(cols, rows)
        t.type(key)
        claim(t.poll() is None, f"{cols}x{rows} is lived through")


def dies_sanely(start, shown, orderly=0):
    """Signals, orderly ends with that status, and a hang-up."""
    for sig, want in ((signal.SIGTERM, orderly), (signal.SIGHUP, orderly),
                      (signal.SIGQUIT, orderly), (signal.SIGSEGV, -11),
                      (signal.SIGABRT, -6)):
        t = start()
        t.shows(shown)
        t.signal(sig)
        same(t.ends(), want, f"{sig.name}: ends")
        claim(t.is_sane(), f"{sig.name}: the terminal is sane",
              t.screen.modes, t.local_modes(), t.raw[-200:])
        t.close()
    t = start()
    t.shows(shown)
    os.close(t.fd)
    t.fd = -1
    claim(wait_for(lambda: t.poll() is not None), "a hang-up ends it")
