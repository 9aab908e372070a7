# SPDX-License-Identifier: Apache-2.0
"""No peer but the measure of them: the three stages called in one process, without a pipeline."""

import work


def run(items, _batch, spins, _workers):
    return map(work.whole_chain(spins), range(items))


if __name__ == "__main__":
    work.main(run)
