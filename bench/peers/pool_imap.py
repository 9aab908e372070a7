# SPDX-License-Identifier: Apache-2.0
"""multiprocessing.Pool.imap: the three stages in one call, BATCH items a chunk."""

import multiprocessing

import work


def run(items, batch, spins, workers):
    with multiprocessing.Pool(workers) as pool:
        yield from pool.imap(work.whole_chain(spins), range(items), chunksize=batch)
        # Their cpu time is only known of processes that have ended.
        pool.close()
        pool.join()


if __name__ == "__main__":
    work.main(run)
