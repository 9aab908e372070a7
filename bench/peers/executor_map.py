# SPDX-License-Identifier: Apache-2.0
"""ProcessPoolExecutor.map: the three stages in one call, BATCH items a chunk."""

import concurrent.futures

import work


def run(items, batch, spins, workers):
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        yield from pool.map(work.whole_chain(spins), range(items), chunksize=batch)


if __name__ == "__main__":
    work.main(run)
