#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Shell is POSIX and clean under shellcheck; Python parses and imports
# nothing but its own library.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

shells=$( (scripts sh; scripts bash; files sh) | sort -u)
pythons=$( (scripts python3; files py) | sort -u)

# SC2317: it does not see that claim calls the function it is given.
shell_faults() {
	# shellcheck disable=SC2086 # one word a file
	shellcheck -x -e SC2317 -f gcc $shells
}

# What is sourced follows whoever sources it.
careless() {
	for f in $shells; do
		case $(head -n 1 "$f") in
		'# shellcheck shell='*) continue ;;
		esac
		grep -qE '^set -eu$|/lib\.sh"$' "$f" ||
			printf '%s: no set -eu\n' "$f"
	done
}

python_faults() {
	# shellcheck disable=SC2086
	python3 - $pythons <<'EOP'
import ast
import os
import sys

own = {os.path.basename(p)[:-3] for p in sys.argv[1:] if p.endswith(".py")}
for path in sys.argv[1:]:
    try:
        with open(path, encoding="utf-8") as f:
            tree = ast.parse(f.read(), path)
    except SyntaxError as e:
        print(f"{path}:{e.lineno}: {e.msg}")
        continue
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module]
        for name in names:
            top = name.split(".")[0]
            if top not in sys.stdlib_module_names and top not in own:
                print(f"{path}:{node.lineno}: {name} is not Python's own")
EOP
}

words='shellcheck finds nothing'
if command -v shellcheck >/dev/null 2>&1; then
	claim "$words" shell_faults
else
	skip "$words" 'no shellcheck'
fi
claim 'shell scripts stop at errors' careless
claim 'Python parses and needs only its own library' python_faults
finish
