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
# A ^C between the prompt and the moment when the line editor waits is seen by Python only at the next key (readline.c looks for
# signals when select(2) fails): who sits there presses again.
AGAIN_SECONDS = 4


def is_signal(typed):
    return typed in ("\x03", "\x1a")


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
        again = time.monotonic() + AGAIN_SECONDS if is_signal(typed) else end
        while not re.search(awaited, text, re.DOTALL):
            ready, _, _ = select.select([terminal], [], [], max(0, min(again, end) - time.monotonic()))
            if not ready and again < end:
                os.write(terminal, typed.encode())
                again += AGAIN_SECONDS
                continue
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
