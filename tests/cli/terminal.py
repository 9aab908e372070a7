# SPDX-License-Identifier: Apache-2.0
"""Types at a program in a terminal of its own.

    terminal.py 'TEXT KEYS'... -- COMMAND...

For each argument waits until the terminal shows TEXT (which may be empty), then types
KEYS, in which ^C and ^Z and ^D are those keys and \\n ends a line. Prints what the
terminal shows in the end; exits with the status of the command.
"""

import os
import pty
import select
import sys
import time

# A sanitizer's runtime, where Python needs it, is not for what is started here.
os.environ.pop("LD_PRELOAD", None)
PATIENCE = float(os.environ["PATIENCE"])  # seconds


def main():
    cut = sys.argv.index("--")
    steps, command = sys.argv[1:cut], sys.argv[cut + 1 :]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    shown = b""
    deadline = time.monotonic() + PATIENCE
    seen = 0
    while True:
        if steps:
            text, _, keys = steps[0].rpartition(" ")
            at = shown.find(text.encode(), seen)
            if at >= 0:
                seen = at + len(text)
                os.write(terminal, typed(keys))
                del steps[0]
                continue
        if not select.select([terminal], [], [], deadline - time.monotonic())[0]:
            os.write(2, shown)
            print("\nterminal: nothing more came; left to type:", steps, file=sys.stderr)
            os._exit(99)  # the end of the terminal hangs the program up
        try:
            shown += os.read(terminal, 4096)
        except OSError:  # nobody has the terminal open any more
            break
    os.write(1, shown.replace(b"\r\n", b"\n"))
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) % 256)


def typed(keys):
    for name, key in (("^C", "\x03"), ("^D", "\x04"), ("^Z", "\x1a"), ("\\n", "\n")):
        keys = keys.replace(name, key)
    return keys.encode()


main()
