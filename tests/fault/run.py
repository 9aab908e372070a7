# SPDX-License-Identifier: Apache-2.0
"""A run of leat whose processes can be found, and killed."""

import os
import select
import signal
import subprocess
import time
import uuid

LEAT = os.environ["LEAT"]
PATIENCE_S = 30


class Run:
    """A run whose processes are known by a mark in their environment."""

    def __init__(self, *arguments, stdin, folder):
        self.mark = f"LEAT_TEST_RUN={uuid.uuid4()}"
        name, value = self.mark.split("=")
        self.process = subprocess.Popen(
            [LEAT, "run", *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, name: value, "LEAT_TEST_FOLDER": folder},
        )
        self.folder = folder
        self.output = b""

    def pids(self):
        """Its living processes but leat itself."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == self.process.pid:
                continue
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    if self.mark.encode() in file.read().split(b"\0"):
                        found.append(int(entry))
            except OSError:
                pass  # gone, or not ours
        return found

    def left(self):
        """The same after its end, but for those that are about to go."""
        until = time.monotonic() + 1
        while self.pids() and time.monotonic() < until:
            time.sleep(0.01)
        return self.pids()

    def workers(self):
        """Those that it has started itself, each of which leads a group."""
        return [pid for pid in self.pids() if leads_a_group(pid)]

    def read(self, size):
        """Reads until there are this many bytes of output, or its end."""
        until = time.monotonic() + PATIENCE_S
        while len(self.output) < size:
            ready, _, _ = select.select([self.process.stdout], [], [], until - time.monotonic())
            if not ready:
                raise TimeoutError("no output")
            data = os.read(self.process.stdout.fileno(), size - len(self.output))
            if not data:
                break
            self.output += data

    def finish(self):
        """Returns its exit status and what it wrote to stderr."""
        try:
            output, error = self.process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.end()
            raise
        self.output += output
        return self.process.returncode, error.decode()

    def end(self):
        for pid in [self.process.pid, *self.pids()]:
            kill(pid)
        self.process.communicate()


def leads_a_group(pid):
    try:
        return os.getpgid(pid) == pid
    except ProcessLookupError:
        return False


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def file_of(data):
    fd = os.memfd_create("input")
    os.write(fd, data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def arguments_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().split(b"\0")
    except OSError:
        return []
