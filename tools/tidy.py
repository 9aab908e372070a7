#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy on every C file of a build, all cores at once.

    tools/tidy.py BUILD CACHE

A file that was clean is not looked at again until it, a header, the settings or
its compile command changes. Exits 1 if any file has a finding.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import sys


def run(build, entry, stamp):
    """Returns what clang-tidy has to say about one file: empty when clean."""
    if stamp.exists():
        return ""
    # The commands are gcc's: clang need not know every option among them.
    done = subprocess.run(
        ["clang-tidy", "--quiet", "-p", build, "--extra-arg=-Wno-unknown-warning-option",
         "--extra-arg=-Wno-error", f"--extra-arg=-include{pathlib.Path('tools/tidy.h').resolve()}",
         *([] if entry["file"].endswith("/failure.c") else ["--extra-arg=-DTIDY_FAILURE"]),
         entry["file"]],
        capture_output=True, text=True, cwd=entry["directory"], check=False)
    if done.returncode == 0:
        stamp.touch()
        return ""
    return done.stdout + done.stderr


def main():
    build, cache = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    cache.mkdir(parents=True, exist_ok=True)
    common = hashlib.sha256()
    common.update(subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout)
    root = pathlib.Path(".")
    headers = [path for path in root.glob("*/**/*.h") if not path.parts[0].startswith((".", "build"))]
    for path in [root / ".clang-tidy", *sorted(headers)]:
        common.update(path.read_bytes())

    jobs = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        # Generated files are not ours; a file built twice is looked at once.
        if path.suffix != ".c" or build in path.parents or path in jobs:
            continue
        entry["file"] = str(path)
        key = common.copy()
        key.update(entry["command"].encode())
        key.update(path.read_bytes())
        jobs[path] = (entry, cache / key.hexdigest())

    keep = {stamp for _, stamp in jobs.values()}
    for stale in set(cache.iterdir()) - keep:
        stale.unlink()
    findings = 0
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for said in pool.map(lambda job: run(str(build), *job), jobs.values()):
            if said:
                findings += 1
                print(said, flush=True)
    print(f"clang-tidy: {len(jobs)} files, {findings} with findings")
    return 1 if findings or not jobs else 0


if __name__ == "__main__":
    sys.exit(main())
