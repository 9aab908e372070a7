// SPDX-License-Identifier: Apache-2.0
/*
 * Boost.Lockfree's spsc_queue between threads, a thread a stage. The queue itself
 * cannot wait, so waiting is added as one would add it: a full or empty queue is
 * slept on, and the other side is woken when it may sleep.
 */
#include "work.h"

#include <boost/lockfree/spsc_queue.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace
{

constexpr std::size_t capacity = 4096;

// One end of a queue, which may sleep until the other end has done something.
struct Side {
	std::atomic<bool> sleeping{false};
	std::condition_variable condition;
};

class Queue
{
      public:
	void push(const int64_t *values, std::size_t n)
	{
		for (std::size_t done = 0;;) {
			std::size_t pushed = queue.push(values + done, n - done);
			done += pushed;
			if (pushed > 0)
				wake(reader);
			if (done == n)
				return;
			sleep(writer, [this] { return queue.write_available() > 0; });
		}
	}

	// Waits for at least one; returns how many it took.
	std::size_t pop(int64_t *values, std::size_t n)
	{
		for (;;) {
			std::size_t taken = queue.pop(values, n);
			if (taken > 0) {
				wake(writer);
				return taken;
			}
			sleep(reader, [this] { return queue.read_available() > 0; });
		}
	}

      private:
	template <typename Ready> void sleep(Side &side, Ready ready)
	{
		std::unique_lock<std::mutex> lock(mutex);
		for (;;) {
			side.sleeping.store(true, std::memory_order_relaxed);
			// Either this side sees what the other did to the queue, or the other
			// sees, behind its own fence, that this one may sleep.
			std::atomic_thread_fence(std::memory_order_seq_cst);
			if (ready())
				break;
			side.condition.wait(lock);
		}
		side.sleeping.store(false, std::memory_order_relaxed);
	}

	void wake(Side &side)
	{
		std::atomic_thread_fence(std::memory_order_seq_cst);
		if (!side.sleeping.load(std::memory_order_relaxed))
			return;
		std::lock_guard<std::mutex> lock(mutex);
		side.sleeping.store(false, std::memory_order_relaxed);
		side.condition.notify_one();
	}

	boost::lockfree::spsc_queue<int64_t, boost::lockfree::capacity<capacity>> queue;
	std::mutex mutex;
	Side reader;
	Side writer;
};

// Below 0 no item is: it ends a queue.
constexpr int64_t end = -1;

void run_stage(Queue &from, Queue &to, int64_t batch, int64_t spins)
{
	std::vector<int64_t> values(static_cast<std::size_t>(batch));
	for (;;) {
		std::size_t n = from.pop(values.data(), values.size());
		bool ended = values[n - 1] == end;
		work_steps(values.data(), static_cast<int64_t>(n - ended), spins);
		to.push(values.data(), n);
		if (ended)
			return;
	}
}

void run_source(Queue &to, const work &work)
{
	std::vector<int64_t> values(static_cast<std::size_t>(work.batch));
	for (int64_t next = 0; next < work.items;) {
		std::size_t n = 0;
		while (n < values.size() && next < work.items)
			values[n++] = next++;
		to.push(values.data(), n);
	}
	to.push(&end, 1);
}

} // namespace

int main(int argc, char **argv)
{
	work work = work_read(argc, argv);
	std::array<Queue, WORK_STAGES + 1> queues;
	double start = work_now();
	std::vector<std::thread> threads;
	threads.emplace_back([&] { run_source(queues[0], work); });
	for (std::size_t i = 0; i < WORK_STAGES; i++)
		threads.emplace_back(
		    [&, i] { run_stage(queues[i], queues[i + 1], work.batch, work.spins[i]); });

	int64_t items = 0;
	uint64_t sum = 0;
	std::vector<int64_t> values(static_cast<std::size_t>(work.batch));
	for (bool ended = false; !ended;) {
		std::size_t n = queues[WORK_STAGES].pop(values.data(), values.size());
		ended = values[n - 1] == end;
		for (std::size_t i = 0; i < n - ended; i++)
			sum += static_cast<uint64_t>(values[i]);
		items += static_cast<int64_t>(n - ended);
	}
	for (auto &thread : threads)
		thread.join();
	return work_report(&work, items, sum, work_now() - start);
}
