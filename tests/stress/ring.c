/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rounds of a ring of random shape in which every batch is followed from the source
 * to the sink: that a serial stage has each in its turn and one at a time, that every
 * stage has each once, and the content. Now and then a claim is taken back, as if its
 * worker had died over it, or a group's limit is changed, beyond which workers park.
 *
 *	ring [--seconds N] [--threads | --processes] [SEED]
 *
 * The rounds of a run have the seeds SEED, SEED + 1 …; a round that fails prints its
 * own, and `ring --seconds 0 --threads SEED` runs that one alone. Half of the time the
 * source, the workers and the sink are processes, which are forked while there is no
 * thread, and half of the time threads, so that ThreadSanitizer sees them.
 *
 * What is checked is checked with plain memory accesses: if the ring did not order
 * them, that would be the fault that ThreadSanitizer finds.
 */
#include "atomic.h"
#include "claim.h"
#include "clock.h"
#include "limit.h"
#include "notify.h"
#include "region.h"
#include "slot.h"
#include "state.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STAGES_MAX	  6
#define GROUP_WORKERS_MAX 3
#define WORKERS_MAX	  (GROUP_WORKERS_MAX * STAGES_MAX)
#define ROLES_MAX	  (WORKERS_MAX + 2) /* and the source and the sink */
#define LARGE_RECORD	  (400u << 10)
#define PATIENCE_S	  20

#define SLOTS_MAX 32

/* What the roles of a round share beside the ring. All but the first two: plain. */
struct shared {
	uint32_t failed;
	uint64_t retired;			  /* by the sink: the round's progress */
	uint64_t next[STAGES_MAX + 2];		  /* the batch that a serial position has next */
	uint64_t laps[STAGES_MAX + 2][SLOTS_MAX]; /* of a slot at a position */
	uint32_t holder[STAGES_MAX + 2];	  /* the worker at a serial position, + 1 */
};

struct round {
	uint64_t seed;
	bool processes;
	struct region region;
	struct shared *shared;
	uint32_t n_stages;
	uint32_t n_slots;
	uint32_t n_workers;
	uint32_t groups[STAGES_MAX]; /* of each stage */
	bool stateless[STAGES_MAX];
	uint32_t worker_groups[WORKERS_MAX];
	uint64_t n_batches;
	uint32_t size_bits; /* most batches are shorter than 1 << size_bits */
	uint32_t delay;	    /* how many claims in a hundred are followed by one */
	uint32_t deaths;    /* how many claims in a thousand are taken back */
	uint32_t changes;   /* how many batches in a thousand are followed by another limit */
	uint64_t stop_at;   /* the sink stops the ring after so many batches */
};

/* A role of a round: position 0 the source, n_stages + 1 the sink, else a worker. */
struct role {
	struct round *round;
	bool is_worker;
	unsigned worker;
	bool is_sink;
	uint64_t random;
	pthread_t thread;
	pid_t pid;
};

/* Steele, Lea, Flood: Fast splittable pseudorandom number generators. */
static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static uint64_t random_below(uint64_t *state, uint64_t end)
{
	return random_next(state) % end;
}

static void round_print(const struct round *round)
{
	const struct region_header *header = round->region.header;
	fprintf(stderr, "  %u stages in groups", round->n_stages);
	for (uint32_t i = 0; i < round->n_stages; i++)
		fprintf(stderr, " %u", round->groups[i]);
	fprintf(stderr, ", stateless");
	for (uint32_t i = 0; i < round->n_stages; i++)
		fprintf(stderr, " %u", round->stateless[i]);
	fprintf(stderr, ", %u workers, %u slots, %llu batches, retired %llu, end %lld, stop %u\n",
	    round->n_workers, round->n_slots, (unsigned long long)round->n_batches,
	    (unsigned long long)atomic_load_relaxed(&round->shared->retired),
	    (long long)atomic_load_relaxed(&header->end_seq), atomic_load_relaxed(&header->stop));
	for (uint32_t i = 0; i < round->n_slots; i++) {
		/* For a person to read; no order is needed. */
		uint64_t state = atomic_load_relaxed(&slot_at(&round->region, i)->state);
		fprintf(stderr, "  slot %2u: lap %llu, position %u, ", i,
		    (unsigned long long)(state_place_of(state) >> 8),
		    (unsigned)(state_place_of(state) & 0xff));
		if (state_is_busy(state))
			fprintf(stderr, "busy, worker %u\n", state_worker(state));
		else
			fprintf(stderr, "ready\n");
	}
	for (uint32_t group = 0; group < header->n_groups; group++)
		fprintf(stderr, "  group %u: wait word %u, limit %u, park word %u\n", group,
		    atomic_load_relaxed(region_wait_word(&round->region, group)),
		    atomic_load_relaxed(region_limit(&round->region, group)),
		    atomic_load_relaxed(region_park_word(&round->region, group)));
}

__attribute__((format(printf, 2, 3), noreturn)) static void round_fail(
    const struct round *round, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	/* One report is enough. */
	if (__atomic_exchange_n(&round->shared->failed, 1, __ATOMIC_RELAXED) == 0) {
		fprintf(stderr, "ring: --%s %llu: ", round->processes ? "processes" : "threads",
		    (unsigned long long)round->seed);
		vfprintf(stderr, format, args);
		fputc('\n', stderr);
		round_print(round);
	} else {
		pause();
	}
	va_end(args);
	_exit(1);
}

/* The content of a batch as the source makes it, from its number alone. */
static size_t content_make(const struct round *round, uint64_t seq, char *to)
{
	uint64_t state = round->seed ^ seq * 0x2545f4914f6cdd1d;
	uint64_t kind = random_below(&state, 1000);
	size_t size = random_below(&state, 1ull << round->size_bits);
	if (kind < 100)
		size = 0;
	else if (kind < 105)
		size = random_below(&state, LARGE_RECORD);
	uint64_t word = random_next(&state);
	/* A word at a time; ThreadSanitizer looks at each access. */
	for (size_t i = 0; i < size; i += sizeof(word)) {
		memcpy(to + i, &word, size - i < sizeof(word) ? size - i : sizeof(word));
		word = word * 3 + i;
	}
	return size;
}

/* What a stage does: a change of every byte that depends on the stage, and of the size. */
static size_t content_change(unsigned position, const char *from, size_t size, char *to)
{
	char key = (char)(position * 41);
	uint64_t word = 0;
	size_t i = 0;
	for (; i + sizeof(word) <= size; i += sizeof(word)) {
		memcpy(&word, from + i, sizeof(word));
		word = word * 3 + position;
		memcpy(to + i, &word, sizeof(word));
	}
	for (; i < size; i++)
		to[i] = (char)(from[i] + key);
	/* Stages of an odd position add a byte, the others drop one. */
	if (position % 2 == 0)
		return size ? size - 1 : 0;
	to[size] = key;
	return size + 1;
}

static void delay(struct role *role)
{
	const struct timespec nap = {.tv_nsec = (long)random_below(&role->random, 50 * 1000)};
	if (random_below(&role->random, 100) >= role->round->delay)
		return;
	if (random_below(&role->random, 2))
		sched_yield();
	else
		nanosleep(&nap, NULL);
}

static bool is_serial(const struct round *round, unsigned position)
{
	return position == 0 || position == round->n_stages + 1 || !round->stateless[position - 1];
}

/* A position has every batch once, a serial one in order. */
static void check_once(struct round *round, unsigned position, uint64_t seq)
{
	uint64_t *lap = &round->shared->laps[position][seq % round->n_slots];
	if (*lap != seq / round->n_slots)
		round_fail(round, "position %u: got batch %llu in lap %llu", position,
		    (unsigned long long)seq, (unsigned long long)*lap);
	(*lap)++;
	if (!is_serial(round, position))
		return;
	uint64_t *next = &round->shared->next[position];
	if (*next != seq)
		round_fail(round, "position %u: got batch %llu instead of %llu", position,
		    (unsigned long long)seq, (unsigned long long)*next);
	(*next)++;
}

/* A serial stage is entered by one at a time. */
static void check_enter(struct role *role, unsigned position)
{
	uint32_t *holder = &role->round->shared->holder[position];
	if (!is_serial(role->round, position))
		return;
	if (*holder != 0)
		round_fail(role->round, "position %u: worker %u enters beside %u", position,
		    role->worker, *holder - 1);
	*holder = role->worker + 1;
}

static void check_leave(struct role *role, unsigned position)
{
	if (is_serial(role->round, position))
		role->round->shared->holder[position] = 0;
}

static void source_fill(struct round *round, uint64_t seq)
{
	const struct region *region = &round->region;
	struct slot *slot = slot_at(region, seq);
	size_t size = content_make(round, seq, slot_area(region, seq, slot_output(0)));
	check_once(round, 0, seq);
	slot->first_record = seq + 1;
	slot_set_output(slot, slot_output(0), LEAT_RECORDS, size, 1);
	slot_clear_failure(slot);
	for (uint32_t i = 0; i < round->n_stages; i++)
		slot->history[i].attempts = 0;
	ring_advance(region, seq, 0);
}

static bool source_wait(struct round *round, uint64_t seq)
{
	const struct region *region = &round->region;
	uint32_t *word = region_wait_word(region, GROUP_SOURCE);
	while (!ring_stopped(region)) {
		uint32_t key = notify_prepare(word);
		if (ring_is_ready(region, seq, 0))
			return true;
		if (ring_stopped(region))
			break;
		notify_sleep(word, key);
	}
	return false;
}

static void source_run(struct role *role)
{
	struct round *round = role->round;
	uint64_t seq = 0;
	while (seq < round->n_batches && source_wait(round, seq)) {
		delay(role);
		source_fill(round, seq++);
	}
	ring_end(&round->region, seq);
}

/* As a supervisor does for a worker that died in the middle of its output. */
static void worker_die(struct role *role, unsigned position, uint64_t seq)
{
	const struct region *region = &role->round->region;
	memset(slot_area(region, seq, slot_output(position)), 0x5a, 100);
	slot_set_output(slot_at(region, seq), slot_output(position), LEAT_RECORDS, 77, 1);
	check_leave(role, position);
	if (!ring_take_back(region, seq, position, role->worker))
		round_fail(role->round, "position %u: batch %llu cannot be taken back", position,
		    (unsigned long long)seq);
	/* The one that was thought dead comes too late. */
	if (ring_commit(region, seq, position, role->worker) != -ESTALE)
		round_fail(role->round, "position %u: batch %llu is committed by the dead",
		    position, (unsigned long long)seq);
}

static void check_held(struct role *role, unsigned position, uint64_t seq)
{
	struct round *round = role->round;
	const struct slot *slot = slot_at(&round->region, seq);
	uint64_t held = UINT64_MAX;
	unsigned at = 0;
	if (!ring_held(&round->region, role->worker, &held, &at) || held != seq || at != position)
		round_fail(round, "worker %u holds batch %llu, not %llu", role->worker,
		    (unsigned long long)held, (unsigned long long)seq);
	if (slot->first_record != seq + 1)
		round_fail(round, "position %u, batch %llu: the slot is of batch %llu", position,
		    (unsigned long long)seq, (unsigned long long)slot->first_record - 1);
}

static void worker_do(struct role *role, unsigned position, uint64_t seq)
{
	struct round *round = role->round;
	const struct region *region = &round->region;
	struct slot *slot = slot_at(region, seq);
	unsigned input = slot_input(position);
	unsigned output = slot_output(position);
	check_enter(role, position);
	check_held(role, position, seq);
	struct slot_history *history = &slot->history[position - 1];
	history->attempts++;
	history->worker = role->worker;
	delay(role);
	if (random_below(&role->random, 1000) < round->deaths) {
		worker_die(role, position, seq);
		return;
	}
	size_t size = content_change(position, slot_area(region, seq, input), slot->size[input],
	    slot_area(region, seq, output));
	slot_set_output(slot, output, LEAT_RECORDS, size, 1);
	check_once(round, position, seq);
	check_leave(role, position);
	if (ring_commit(region, seq, position, role->worker) < 0)
		round_fail(round, "position %u: the commit of batch %llu is stale", position,
		    (unsigned long long)seq);
}

/* As the product's worker does it: the latest position first. */
static bool worker_claim(struct role *role, uint64_t *next, unsigned *ret_position, uint64_t *seq)
{
	const struct round *round = role->round;
	for (unsigned position = round->n_stages; position > 0; position--) {
		bool stateless = round->stateless[position - 1];
		if (round->groups[position - 1] == round->worker_groups[role->worker] &&
		    (stateless ? ring_claim_any : ring_claim)(
			&round->region, position, role->worker, &next[position], seq)) {
			*ret_position = position;
			return true;
		}
	}
	return false;
}

static void worker_run(struct role *role)
{
	const struct region *region = &role->round->region;
	uint64_t next[STAGES_MAX + 1] = {0};
	uint64_t seq;
	unsigned position;
	unsigned group = role->round->worker_groups[role->worker];
	unsigned rank = region_rank(region, role->worker);
	uint32_t *word = region_wait_word(region, group);
	while (!ring_stopped(region)) {
		if (!limit_allows(region, group, rank)) {
			limit_park(region, group, rank);
			continue;
		}
		if (worker_claim(role, next, &position, &seq)) {
			worker_do(role, position, seq);
			continue;
		}
		uint32_t key = notify_prepare(word);
		if (ring_stopped(region))
			break;
		if (worker_claim(role, next, &position, &seq))
			worker_do(role, position, seq);
		else
			notify_sleep(word, key);
	}
}

/* As the product's balance does it, in the sink's thread. */
static void sink_change_limit(struct role *role)
{
	struct round *round = role->round;
	if (random_below(&role->random, 1000) >= round->changes)
		return;
	unsigned worker = (unsigned)random_below(&role->random, round->n_workers);
	limit_set(&round->region, round->worker_groups[worker],
	    1 + (uint32_t)random_below(&role->random, GROUP_WORKERS_MAX));
}

static void sink_check(struct round *round, uint64_t seq, char *expected, char *between)
{
	const struct region *region = &round->region;
	unsigned sink = region_sink(region);
	const struct slot *slot = slot_at(region, seq);
	unsigned area = slot_input(sink);
	size_t size = content_make(round, seq, expected);
	check_once(round, sink, seq);
	for (unsigned position = 1; position < sink; position++) {
		size = content_change(position, expected, size, between);
		memcpy(expected, between, size);
		uint32_t attempts = slot->history[position - 1].attempts;
		if (attempts == 0 || (attempts > 1 && round->deaths == 0))
			round_fail(round, "position %u, batch %llu: %u attempts", position,
			    (unsigned long long)seq, attempts);
	}
	if (slot->size[area] != size || memcmp(slot_area(region, seq, area), expected, size) != 0)
		round_fail(round, "batch %llu: wrong content, %zu bytes expected, %llu there",
		    (unsigned long long)seq, size, (unsigned long long)slot->size[area]);
}

static bool sink_wait(struct round *round, uint64_t seq)
{
	const struct region *region = &round->region;
	uint32_t *word = region_wait_word(region, GROUP_SINK);
	for (;;) {
		uint32_t key = notify_prepare(word);
		if (ring_is_ready(region, seq, region_sink(region)))
			return true;
		if (seq >= ring_end_seq(region))
			return false;
		notify_sleep(word, key);
	}
}

static void sink_run(struct role *role)
{
	struct round *round = role->round;
	char *expected = malloc(2 * LARGE_RECORD);
	char *between = malloc(2 * LARGE_RECORD);
	uint64_t seq = 0;
	if (!expected || !between)
		round_fail(round, "out of memory");
	while (seq < round->stop_at && sink_wait(round, seq)) {
		delay(role);
		sink_check(round, seq, expected, between);
		slot_trim(&round->region, seq);
		ring_advance(&round->region, seq++, region_sink(&round->region));
		sink_change_limit(role);
		/* Only looked at for whether it changes. */
		atomic_store_relaxed(&round->shared->retired, seq);
	}
	if (seq < round->n_batches && seq < round->stop_at)
		round_fail(round, "the ring ended after %llu batches", (unsigned long long)seq);
	ring_stop(&round->region);
	free(expected);
	free(between);
}

static void role_run(struct role *role)
{
	if (role->is_worker)
		worker_run(role);
	else if (role->is_sink)
		sink_run(role);
	else
		source_run(role);
}

static void *role_thread(void *argument)
{
	role_run(argument);
	return NULL;
}

/* Waits a second for it to end. */
static bool role_join(struct role *role)
{
	struct timespec deadline;
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec++;
	return pthread_timedjoin_np(role->thread, NULL, &deadline) == 0;
}

static bool role_reap(struct role *role)
{
	const struct timespec nap = {.tv_nsec = 1000 * 1000};
	int status = 0;
	for (int i = 0; i < 1000; i++) {
		if (waitpid(role->pid, &status, WNOHANG) == role->pid) {
			if (status != 0)
				_exit(1); /* it has said why */
			return true;
		}
		nanosleep(&nap, NULL);
	}
	return false;
}

/* Waits for a role's end as long as there is progress. */
static void role_await(struct role *role)
{
	struct round *round = role->round;
	uint64_t before = 0;
	for (int idle = 0; !(round->processes ? role_reap(role) : role_join(role)); idle++) {
		uint64_t now = atomic_load_relaxed(&round->shared->retired);
		if (now != before)
			idle = 0;
		before = now;
		if (idle >= PATIENCE_S)
			round_fail(round, "no progress for %d seconds", PATIENCE_S);
	}
}

/* Dies with the test: one that is stuck must not stay. */
static void role_fork(struct role *role)
{
	role->pid = fork();
	if (role->pid < 0)
		round_fail(role->round, "fork: %s", strerror(errno));
	if (role->pid > 0)
		return;
	alarm(3 * PATIENCE_S);
	role_run(role);
	_exit(0);
}

static void role_start(struct role *role)
{
	if (role->round->processes)
		role_fork(role);
	else if (pthread_create(&role->thread, NULL, role_thread, role) != 0)
		round_fail(role->round, "cannot start a thread");
}

/* Either a group a stage, or neighbours share one, or one for all; some have more workers. */
static void round_plan(struct round *round, uint64_t *random)
{
	static const uint32_t slots[] = {1, 2, 4, 8, 16, 32};
	uint64_t sharing = random_below(random, 4) * 33;
	round->n_stages = 1 + (uint32_t)random_below(random, STAGES_MAX);
	round->n_slots = slots[random_below(random, 6)];
	uint32_t group = GROUP_WORKERS;
	for (uint32_t i = 0; i < round->n_stages; i++) {
		if (i > 0 && random_below(random, 100) >= sharing)
			group++;
		round->groups[i] = group;
	}
	uint32_t more = (uint32_t)random_below(random, GROUP_WORKERS_MAX);
	for (uint32_t i = GROUP_WORKERS; i <= group; i++) {
		uint32_t n = 1 + (uint32_t)random_below(random, more + 1);
		while (n-- > 0)
			round->worker_groups[round->n_workers++] = i;
	}
	uint64_t stateless = random_below(random, 3) * 50;
	for (uint32_t i = 0; i < round->n_stages; i++)
		round->stateless[i] = random_below(random, 100) < stateless;
	round->deaths = random_below(random, 2) ? 0 : (uint32_t)random_below(random, 100);
	round->changes = random_below(random, 2) ? 0 : (uint32_t)random_below(random, 500);
	round->size_bits = 1 + (uint32_t)random_below(random, 12);
	round->delay = random_below(random, 2) ? 0 : (uint32_t)random_below(random, 100);
	round->n_batches = 1 + random_below(random, round->delay ? 500 : 3000);
	round->stop_at = UINT64_MAX;
	/* A stop in the middle: all must leave, wherever they are. */
	if (random_below(random, 8) == 0)
		round->stop_at = random_below(random, round->n_batches);
}

static int round_make(struct round *round)
{
	struct region_stage stages[STAGES_MAX] = {0};
	struct region_worker workers[WORKERS_MAX] = {0};
	for (uint32_t i = 0; i < round->n_stages; i++)
		stages[i].group = round->groups[i];
	for (uint32_t i = 0; i < round->n_workers; i++)
		workers[i].group = round->worker_groups[i];
	struct region_config config = {
	    .n_slots = round->n_slots,
	    .frame = LEAT_U32,
	    .max_record = LARGE_RECORD,
	    .stages = stages,
	    .n_stages = round->n_stages,
	    .workers = workers,
	    .n_workers = round->n_workers,
	};
	round->shared = mmap(NULL, sizeof(*round->shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (round->shared == MAP_FAILED)
		return -errno;
	return region_new(&config, &round->region);
}

/* Returns how many batches went through. */
static uint64_t round_run(uint64_t seed, bool processes)
{
	struct round round = {.seed = seed, .processes = processes};
	struct role roles[ROLES_MAX] = {0};
	uint64_t random = seed;
	round_plan(&round, &random);
	int r = round_make(&round);
	if (r < 0) {
		fprintf(stderr, "ring: %s\n", strerror(-r));
		_exit(1);
	}
	unsigned n = round.n_workers + 2;
	for (unsigned i = 0; i < n; i++)
		roles[i] = (struct role){.round = &round, .random = random_next(&random)};
	for (unsigned i = 0; i < round.n_workers; i++) {
		roles[i].is_worker = true;
		roles[i].worker = i;
	}
	roles[n - 1].is_sink = true;
	for (unsigned i = 0; i < n; i++)
		role_start(&roles[i]);
	/* The sink first: its end stops the others, and its progress is the round's. */
	for (unsigned i = n; i-- > 0;)
		role_await(&roles[i]);
	uint64_t retired = round.shared->retired;
	munmap(round.shared, sizeof(*round.shared));
	region_free(&round.region);
	return retired;
}

/* Runs rounds until the time is over, at least one. */
static void run_rounds(uint64_t seed, bool processes, uint64_t ns)
{
	uint64_t until = clock_wall_ns() + ns;
	uint64_t n_batches = 0;
	unsigned n_rounds = 0;
	do {
		n_batches += round_run(seed + n_rounds, processes);
		n_rounds++;
	} while (clock_wall_ns() < until);
	printf("%s: %u rounds, %llu batches\n", processes ? "processes" : "threads", n_rounds,
	    (unsigned long long)n_batches);
	fflush(stdout);
}

static uint64_t random_seed(void)
{
	uint32_t seed = 0;
	ssize_t n = getrandom(&seed, sizeof(seed), 0);
	return n == (ssize_t)sizeof(seed) ? seed : clock_wall_ns();
}

int main(int argc, char **argv)
{
	bool processes = true;
	bool threads = true;
	uint64_t seconds = 4;
	uint64_t seed = random_seed();
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--threads") == 0)
			processes = false;
		else if (strcmp(argv[i], "--processes") == 0)
			threads = false;
		else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
			seconds = strtoull(argv[++i], NULL, 10);
		else
			seed = strtoull(argv[i], NULL, 10);
	}
	printf("seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	uint64_t ns = seconds * CLOCK_NS_PER_S / (processes && threads ? 2 : 1);
	if (processes)
		run_rounds(seed, true, ns);
	if (threads)
		run_rounds(seed, false, ns);
	return 0;
}
