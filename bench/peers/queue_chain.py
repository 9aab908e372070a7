# SPDX-License-Identifier: Apache-2.0
"""A chain of multiprocessing.Queue: a process a stage, an item a message."""

import multiprocessing
import threading

import work


def stage(source, sink, spins):
    for n in iter(source.get, None):
        sink.put(work.step(n, spins) if spins else work.tiny(n))
    sink.put(None)


def feed(items, queue):
    for n in range(items):
        queue.put(n)
    queue.put(None)


def run(items, _batch, spins, _workers):
    queues = [multiprocessing.Queue(1000) for _ in range(work.STAGES + 1)]
    processes = [
        multiprocessing.Process(target=stage, args=(queues[i], queues[i + 1], spins[i]))
        for i in range(work.STAGES)
    ]
    for process in processes:
        process.start()
    threading.Thread(target=feed, args=(items, queues[0])).start()
    yield from iter(queues[-1].get, None)
    for process in processes:
        process.join()


if __name__ == "__main__":
    work.main(run)
