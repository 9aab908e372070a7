#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts what `meson test` did in a build folder.

    tools/count.py BUILD STATUS

STATUS is how the build and its tests ended. Prints `PASSED FAILED SKIPPED`, then
a line a failure, and behind a test's last one what it said, each line with a `|`
before it. Likewise what a sanitizer reported. A TAP test counts once a case, any
other test once.
"""

import json
import pathlib
import sys
import xml.etree.ElementTree as xml

# What a test says of its failure is at its end, a sanitizer's at its start.
TELLING_LINES = 30


def cases(logs):
    """The cases of each TAP test, by the test's name: (name, passed|failed|skipped)."""
    found = {}
    path = logs / "testlog.junit.xml"
    if not path.exists():
        return found
    for suite in xml.parse(path).getroot().iter("testsuite"):
        # A suite named project.test holds one test's cases; one named after the
        # project alone holds all tests that have none.
        _, _, test = suite.get("name").partition(".")
        if not test:
            continue
        found[test] = []
        for case in suite.iter("testcase"):
            tags = {child.tag for child in case}
            how = "skipped" if "skipped" in tags else "passed"
            if tags & {"error", "failure"}:
                how = "failed"
            found[test].append((case.get("name"), how))
    return found


def said(test):
    """The last lines of a failed test, but for the cases that went well."""
    text = test.get("stdout", "") + test.get("stderr", "")
    lines = [line for line in text.splitlines() if line and not line.startswith("ok ")]
    return [f"| {line}" for line in lines[-TELLING_LINES:]]


def reported(build):
    """The first lines of each sanitizer's report."""
    lines = []
    for report in sorted((build / "reports").glob("*")):
        lines += report.read_text(errors="replace").splitlines()[:TELLING_LINES]
    return [f"| {line}" for line in lines]


def count(build, status):
    # meson writes two logs, neither of which is enough: only the first one tells
    # of a timeout, only the second one tells a TAP test's cases.
    logs = build / "meson-logs"
    tally = {"passed": 0, "failed": 0, "skipped": 0}
    failures = []
    tap = cases(logs)
    path = logs / "testlog.json"
    for line in path.read_text().splitlines() if path.exists() else []:
        test = json.loads(line)
        name, result = test["name"], test["result"]
        how = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}.get(result, "failed")
        results = tap.get(name) or [("", how)]
        if how == "failed" and all(case_how != "failed" for _, case_how in results):
            # It failed outside its cases: killed, timed out, or short of its plan.
            results.append((f"({result.lower()}, status {test['returncode']})", how))
        for case, case_how in results:
            tally[case_how] += 1
            if case_how == "failed":
                failures.append(f"{name.partition(':')[2] or name} {case}".strip())
        if how == "failed":
            failures += said(test)
    if status != 0 and not failures:
        tally["failed"] += 1
        failures.append("(the build or a sanitizer, see the log)")
    failures += reported(build)
    return tally, failures


def main():
    tally, failures = count(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
    print(tally["passed"], tally["failed"], tally["skipped"])
    for failure in failures:
        print(failure)


if __name__ == "__main__":
    main()
