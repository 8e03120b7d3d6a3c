"""An interactive shell at a pseudo-terminal of its own: types what it is told and waits for what it is told.

usage: dialogue.py < STEPS; each line of STEPS is a JSON array [TYPED, AWAITED]: the text to type, then the regular
expression (its . is any character) that must appear in what comes out from then on. Prints all that came out; ends with
1 when something did not come.
"""
import json
import os
import pty
import re
import select
import signal
import sys
import time

DEADLINE_SECONDS = 30


def main():
    steps = [json.loads(line) for line in sys.stdin if line.strip()]
    pid, terminal = pty.fork()
    if pid == 0:
        # What a script starts in the background inherits that these are ignored, and no shell undoes it; one at a terminal has them.
        for number in (signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)
        os.environ["PS1"] = "$ "
        os.environ["TERM"] = "dumb"
        os.execv("/bin/bash", ["bash", "--norc", "--noprofile", "-i"])
    seen = ""
    for typed, awaited in steps:
        os.write(terminal, typed.encode())
        text = ""
        end = time.monotonic() + DEADLINE_SECONDS
        while not re.search(awaited, text, re.DOTALL):
            ready, _, _ = select.select([terminal], [], [], max(0, end - time.monotonic()))
            try:
                data = os.read(terminal, 4096).decode(errors="replace") if ready else ""
            except OSError:
                data = ""
            if not data:
                print(seen + text + f"\n--- typed {typed!r}, waited in vain for {awaited!r}")
                return 1
            text += data
        seen += text
    print(seen)
    os.write(terminal, b"exit\n")
    return 0


sys.exit(main())
