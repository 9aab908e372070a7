/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared region: everything that the workers of one ring share, in one mapping
 * of a memfd, so that threads, processes and onlookers see the same thing.
 *
 *	header | waits | stages | workers | slots | areas (two a slot, sparse)
 *
 * Only offsets and numbers are in it, no pointers. The areas are large but sparse:
 * a page exists once it was written, and large ones are given back after use.
 *
 * Ownership: region_new's caller and region_attach's caller each free their own
 * mapping; the memory goes with the last one.
 */
#ifndef REGION_H
#define REGION_H

#include <leat/pipeline.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGION_STAGES_MAX  64
#define REGION_WORKERS_MAX 1024

/* Who waits together: the workers that can run the same stages. */
enum region_group {
	GROUP_SOURCE,
	GROUP_SINK,
	GROUP_WORKERS, /* the first group of workers */
};

/* A group a stage at the most, and a pool. */
#define REGION_GROUPS_MAX (GROUP_WORKERS + REGION_STAGES_MAX + 1)

enum stage_kind {
	STAGE_C,
	STAGE_PYTHON_FILE,
	STAGE_PYTHON_MODULE,
	STAGE_COMMAND, /* the whole stream through one process; never inside a ring */
	STAGE_LINE,    /* a command that answers a record with a record */
	STAGE_BATCH,   /* a process a batch */
	STAGE_EACH,    /* a process a record */
};

struct region_stage {
	uint32_t kind;
	uint32_t group;
	uint32_t takes; /* an enum leat_kind; its workers say so before they are ready */
	uint32_t gives;
	uint32_t is_serial;	/* one batch at a time, in order */
	uint32_t is_replicated; /* by the user's own word, whatever it is */
	uint32_t is_stateless;	/* likewise: a batch may be run again */
	uint32_t owner;		/* the only worker that may run it, or OWNER_ANY: it keeps state */
	uint32_t has_begun;	/* an owner's: a record has been given to it */
	char name[64];
	char function[256];
	char target[4096]; /* a shared object's path, a Python file's or module's name */
};

#define OWNER_ANY UINT32_MAX

/* Whether a stage is a command that takes records: a thread of the run speaks with it. */
static inline bool region_kind_is_command(uint32_t kind)
{
	return kind == STAGE_LINE || kind == STAGE_BATCH || kind == STAGE_EACH;
}

enum worker_state {
	WORKER_STARTING,
	WORKER_READY,
	WORKER_REFUSED,	 /* `why` says why it can never start */
	WORKER_DEFERRED, /* its process is not started before it is wanted */
};

struct region_worker {
	uint32_t state;
	uint32_t host;
	uint32_t group;
	uint32_t pid;
	uint32_t commits;	/* a counter that may wrap */
	uint32_t input_starved; /* an enum deadlock, see deadlock.h */
	char why[760];
};

/* What a group waits on. A commit touches the first line, so the other two have their own. */
struct region_waits {
	uint32_t wait;
	uint32_t limit
	    __attribute__((aligned(64))); /* how many of it may work; see worker_limit.h */
	uint32_t park;			  /* what the others sleep on */
};

struct region_header {
	uint32_t magic;
	uint32_t version;
	uint64_t size;
	uint32_t n_slots; /* a power of two */
	uint32_t n_stages;
	uint32_t n_workers;
	uint32_t n_groups;
	uint32_t frame;
	uint32_t slot_stride;
	uint64_t max_record;
	/* What a batch waits for, the first that is reached; 0: it waits for nothing, see
	 * batch_sizing.h.
	 */
	uint64_t batch_bytes;
	uint32_t batch_exactly; /* records */
	uint32_t unused;
	uint64_t memory; /* what the areas and the source's buffer may take; see memory_budget.h */
	uint64_t area_capacity; /* a quarter of it */
	uint64_t area_keep;	/* what of an area is free of charge, and stays */
	uint64_t young;		/* what all but the oldest batch may take beyond that */
	uint64_t waits_offset;
	uint64_t stages_offset;
	uint64_t workers_offset;
	uint64_t slots_offset;
	uint64_t areas_offset;
	/* Changes during a run; on a cache line of its own. */
	uint64_t end_seq
	    __attribute__((aligned(64))); /* how many batches there are; see END_UNKNOWN */
	uint32_t stop;
	uint32_t batch_records; /* how many records the source puts into a batch, at the most */
	uint32_t record_ns;	/* what a record takes in all stages, of late; see batch_sizing.h */
	/* For a stage that buffers; see in_flight.h. */
	uint32_t window_base;	/* 0: there is none */
	uint32_t window_slots;	/* that may be in flight at once */
	uint32_t least_records; /* that a batch should hold */
	uint32_t awaited;	/* somebody waits for a batch to be the oldest */
	uint32_t held_back;	/* the source has records, and no room for them */
	/* Changes with every batch. */
	uint64_t oldest __attribute__((aligned(64))); /* all before are retired */
	uint64_t source_buffer;			      /* bytes of it */
	uint64_t record_peak; /* what a record's way through the stages takes; see batch_sizing.h */
};

#define END_UNKNOWN UINT64_MAX

/* What a run decides about a ring; the tables are copied. */
struct region_config {
	uint32_t n_slots;
	enum leat_frame frame;
	uint64_t max_record;
	uint64_t batch_bytes;	/* of an exact batch; 0: as many as half an area holds */
	uint32_t batch_exactly; /* its records, UINT32_MAX for any number; 0: none are exact */
	uint64_t memory;	/* bytes; 0: so that max_record fits, with room to spare */
	const struct region_stage *stages;
	uint32_t n_stages;
	const struct region_worker *workers; /* host and group are taken over */
	uint32_t n_workers;
};

struct region {
	struct region_header *header;
	int fd;
};

/* Returns 0 or -errno. */
int region_new(const struct region_config *config, struct region *ret_region);

/*
 * Maps the region behind fd and checks that it is one. On success the region owns
 * fd. Returns 0, -EPROTO for anything that is not a region of this version, or -errno.
 */
int region_attach(int fd, struct region *ret_region);

/* Unmaps and closes. Accepts a region that never was. */
void region_free(struct region *region);

struct region_stage *region_stage(const struct region *region, unsigned stage);
struct region_worker *region_worker(const struct region *region, unsigned worker);

/* The longest record that can be: the limit, or what fits into an area with its framing. */
uint64_t region_longest(const struct region *region);

/* The word that a group sleeps on; see wakeup.h. */
uint32_t *region_wait_word(const struct region *region, unsigned group);

/* The group's limit, and the word that its workers beyond it sleep on; see worker_limit.h. */
uint32_t *region_limit(const struct region *region, unsigned group);
uint32_t *region_park_word(const struct region *region, unsigned group);

/* How many workers of its group come before this one. */
unsigned region_rank(const struct region *region, unsigned worker);

/* The group that works at a position of the ring (see slot_state.h). */
unsigned region_group_at(const struct region *region, unsigned position);

static inline unsigned region_sink(const struct region *region)
{
	return region->header->n_stages + 1;
}

#endif
