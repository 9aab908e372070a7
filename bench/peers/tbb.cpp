// SPDX-License-Identifier: Apache-2.0
/*
 * oneTBB's parallel_pipeline: an item a token, or as many as BATCH says, which is
 * what its users write by hand. The ends are serial in order, the stages parallel
 * or what TBB_STAGES says.
 */
#include "work.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_pipeline.h>

#include <algorithm>
#include <vector>

#ifndef TBB_STAGES
#define TBB_STAGES parallel
#endif

namespace tbb = oneapi::tbb;

namespace
{

constexpr std::size_t max_tokens = 64;

struct Result {
	int64_t items = 0;
	uint64_t sum = 0;
};

Result run_items(const work &work)
{
	Result result;
	int64_t next = 0;
	auto source = [&](tbb::flow_control &control) -> int64_t {
		if (next == work.items) {
			control.stop();
			return 0;
		}
		return next++;
	};
	auto stage = [&](int i) {
		int64_t spins = work.spins[i];
		return tbb::make_filter<int64_t, int64_t>(tbb::filter_mode::TBB_STAGES,
		    [spins](int64_t n) { return work_step(n, spins); });
	};
	auto sink = [&](int64_t n) {
		result.items++;
		result.sum += static_cast<uint64_t>(n);
	};
	tbb::parallel_pipeline(max_tokens,
	    tbb::make_filter<void, int64_t>(tbb::filter_mode::serial_in_order, source) & stage(0) &
		stage(1) & stage(2) &
		tbb::make_filter<int64_t, void>(tbb::filter_mode::serial_in_order, sink));
	return result;
}

struct Batch {
	std::vector<int64_t> values;
	int64_t n = 0;
};

Result run_batches(const work &work)
{
	Result result;
	// The sink takes tokens in order, so with max_tokens in flight the one that
	// had this buffer before is done.
	std::vector<Batch> batches(max_tokens);
	for (auto &batch : batches)
		batch.values.resize(static_cast<std::size_t>(work.batch));
	int64_t next = 0;
	std::size_t token = 0;
	auto source = [&](tbb::flow_control &control) -> Batch * {
		if (next == work.items) {
			control.stop();
			return nullptr;
		}
		Batch *batch = &batches[token++ % max_tokens];
		batch->n = std::min(work.batch, work.items - next);
		for (int64_t i = 0; i < batch->n; i++)
			batch->values[static_cast<std::size_t>(i)] = next++;
		return batch;
	};
	auto stage = [&](int i) {
		int64_t spins = work.spins[i];
		return tbb::make_filter<Batch *, Batch *>(
		    tbb::filter_mode::TBB_STAGES, [spins](Batch *batch) {
			    work_steps(batch->values.data(), batch->n, spins);
			    return batch;
		    });
	};
	auto sink = [&](Batch *batch) {
		for (int64_t i = 0; i < batch->n; i++)
			result.sum +=
			    static_cast<uint64_t>(batch->values[static_cast<std::size_t>(i)]);
		result.items += batch->n;
	};
	tbb::parallel_pipeline(max_tokens,
	    tbb::make_filter<void, Batch *>(tbb::filter_mode::serial_in_order, source) & stage(0) &
		stage(1) & stage(2) &
		tbb::make_filter<Batch *, void>(tbb::filter_mode::serial_in_order, sink));
	return result;
}

} // namespace

int main(int argc, char **argv)
{
	work work = work_read(argc, argv);
	tbb::global_control control(
	    tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(work.workers));
	double start = work_now();
	Result result = work.batch == 1 ? run_items(work) : run_batches(work);
	return work_report(&work, result.items, result.sum, work_now() - start);
}
