# SPDX-License-Identifier: Apache-2.0
"""A host: the process that a run starts for its Python stages, a thread a worker."""

import os
import sys
from errno import EMSGSIZE

from . import _library, batch, framing
from .stage import Refusal, Stage

_CANNOT_START = 2  # enum leat_status


def main(arguments):
    """LIBLEAT_PATH REGION_FD BELL_FD HOST; returns the exit status."""
    try:
        path = arguments[0]
        region_fd, bell_fd, number = map(int, arguments[1:])
    except (IndexError, ValueError):
        return _say("python/leat is started by a run, not by hand")
    _set_up_process()
    try:
        host = _library.Host(_library.load(path), region_fd, bell_fd, number)
    except (OSError, AttributeError) as error:
        return _say(f"python host: {getattr(error, 'strerror', None) or error}")
    try:
        return serve(host)
    finally:
        host.close()


def serve(host):
    """Runs every worker of a host to the end of the run; returns the exit status."""
    if host.workers == 1:
        return _work_or_die(host, 0)
    from threading import Thread

    from . import lines

    lines.install()
    statuses = [0] * host.workers

    def body(nth):
        statuses[nth] = _work_or_die(host, nth)
        _flush()

    threads = [Thread(target=body, args=(nth,)) for nth in range(host.workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(statuses, default=0)


def _set_up_process():
    # signal itself would import enum and double the cost of a start.
    from _signal import SIG_IGN, SIGINT, signal

    # Ctrl-C reaches the whole process group; the run alone decides what it means.
    signal(SIGINT, SIG_IGN)

    # Records never pass through stdout, so a print() may go where the user looks. Each line
    # goes at once, and so in order with what is written to stderr.
    os.dup2(2, 1)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(line_buffering=True)

    # An int record has no upper bound; Pythons from 3.11 on limit it by default.
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)


def _work_or_die(host, nth):
    try:
        worker = host.open_worker(nth)
    except OSError as error:
        return _say(error.strerror)
    try:
        return work(worker, host)
    except BaseException:  # noqa: BLE001
        # A worker that ended by itself would leave the run waiting for it, as the
        # other threads keep the process alive: the run does notice a dead process.
        sys.excepthook(*sys.exc_info())
        _flush()
        os._exit(1)
    finally:
        worker.close()


def work(worker, host):
    """One worker from its start to the end of the run; returns the exit status."""
    stages = {}
    try:
        try:
            for number, is_module, name, target, function in worker.foreign():
                stage = stages[number] = Stage(target, function, is_module)
                worker.kinds(number, stage.reader.kind, stage.writer.kind)
                if stage.stateful and not worker.stateful(number):
                    raise Refusal(
                        f"{function} is a class, which keeps something between records:"
                        " it cannot have several workers"
                    )
        except Refusal as why:
            worker.refuse(f"stage '{name}': {why}")
            return _CANNOT_START
        worker.ready()
        return _loop(worker, stages, framing.BY_NUMBER[host.frame], host)
    finally:
        for stage in stages.values():
            _close(stage)


def _loop(worker, stages, frame, host):
    max_record = host.max_record
    while True:
        given = worker.next()
        if given is None:
            return 0
        number, data, kind, wanted, careful = given
        stage = stages[number]
        at = worker.at if careful else None
        answer, results = batch.run(stage, frame, max_record, data, kind, wanted, at)
        status = _send(worker, answer)
        if status == -EMSGSIZE:
            answer = batch.answer_too_large(
                stage, frame, max_record, host.max_answer, results, answer
            )
            status = _send(worker, answer)
        if status < 0:
            raise OSError(-status, os.strerror(-status))


def _send(worker, answer):
    if answer.why is None:
        return worker.commit(answer.data, answer.n_records, answer.kind)
    return worker.fail(answer.data, answer.n_records, answer.kind, answer.index, answer.why)


def _close(stage):
    if stage.close is None:
        return
    try:
        stage.close()
    except BaseException as error:  # noqa: BLE001 - the run is over, whatever it is
        _say(f"{stage.name}: close(): {stage.blame(error)}")


def _flush():
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def _say(text):
    print(f"leat: {text}", file=sys.stderr, flush=True)
    return _CANNOT_START
