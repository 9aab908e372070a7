/* SPDX-License-Identifier: Apache-2.0 */
#include "region.h"

#include "fd.h"
#include "frame.h"
#include "slot.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define REGION_MAGIC   0x7461656cu /* "leat" */
#define REGION_VERSION 4u
#define REGION_LINE    64u

/* Of what is attached; nobody makes as many. */
#define REGION_SLOTS_MAX (1u << 16)

/* Processes of different builds must agree on these. */
static_assert(sizeof(struct region_stage) == 4452, "the region is an interface");
static_assert(sizeof(struct region_worker) == 784, "the region is an interface");
static_assert(sizeof(struct region_waits) == 2 * REGION_LINE, "the region is an interface");
static_assert(offsetof(struct region_header, end_seq) == 192, "the region is an interface");

static uint64_t region_round(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) / unit * unit;
}

/* An area up to this size is kept: giving back costs a system call and page faults. */
#define REGION_KEEP (512u << 10)

/* Enough for all areas to keep what is best, and below which not every share is a page. */
#define REGION_MEMORY_USUAL (256ull << 20)
#define REGION_PAGES_MIN    256u

/*
 * A stage may give somewhat more than it takes: an area has room for two of the longest
 * records with their framing, and for a batch of short ones beside them.
 */
static uint64_t region_memory(uint64_t max_record)
{
	uint64_t memory = 4 * (2 * max_record + (1 << 20));
	return memory > REGION_MEMORY_USUAL ? memory : REGION_MEMORY_USUAL;
}

/* No more slots than whose areas, of a page each that is free of charge, take a quarter. */
static void region_lower_slots(struct region_header *header)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	while (header->n_slots > 1 && 2 * header->n_slots * page > header->memory / 4)
		header->n_slots /= 2;
}

/* Who may take how much; memory_budget.h tells why it is enough. */
static void region_share_out(struct region_header *header, uint64_t page)
{
	uint64_t n_areas = 2 * (uint64_t)header->n_slots;
	uint64_t keep = header->memory / 8 / n_areas / page * page;
	header->area_capacity = header->memory / 4 / page * page;
	if (header->batch_exactly > 0 && header->batch_bytes == 0)
		header->batch_bytes = header->area_capacity / 2;
	/* To give such a batch's pages back, and fault them in again, costs as much as it does. */
	uint64_t most = header->batch_bytes > REGION_KEEP ? region_round(header->batch_bytes, page)
							  : REGION_KEEP;
	header->area_keep = keep > most ? most : keep > 0 ? keep : page;
	header->young = header->memory - n_areas * header->area_keep -
			2 * (header->area_capacity - header->area_keep);
}

static uint32_t region_count_groups(const struct region_config *config)
{
	uint32_t n = GROUP_WORKERS;
	for (uint32_t i = 0; i < config->n_stages; i++) {
		if (config->stages[i].group >= n)
			n = config->stages[i].group + 1;
	}
	return n;
}

/* Sizes and offsets, from the numbers of what there is. */
static void region_lay_out(struct region_header *header)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	region_share_out(header, page);
	header->slot_stride = (uint32_t)region_round(
	    sizeof(struct slot) + header->n_stages * sizeof(struct slot_history), REGION_LINE);
	header->waits_offset = region_round(sizeof(*header), REGION_LINE);
	header->stages_offset =
	    header->waits_offset + (uint64_t)header->n_groups * sizeof(struct region_waits);
	header->workers_offset = region_round(
	    header->stages_offset + header->n_stages * sizeof(struct region_stage), REGION_LINE);
	header->slots_offset = region_round(
	    header->workers_offset + header->n_workers * sizeof(struct region_worker), REGION_LINE);
	header->areas_offset = region_round(
	    header->slots_offset + (uint64_t)header->n_slots * header->slot_stride, page);
	header->size = header->areas_offset + 2 * header->n_slots * header->area_capacity;
}

static int region_map(int fd, uint64_t size, struct region *ret_region)
{
	void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	/* A core file of a worker need not hold everybody's records. */
	(void)madvise(mapped, size, MADV_DONTDUMP);
	*ret_region = (struct region){.header = mapped, .fd = fd};
	return 0;
}

int region_new(const struct region_config *config, struct region *ret_region)
{
	assert(config->n_slots && (config->n_slots & (config->n_slots - 1)) == 0);
	assert(config->n_stages <= REGION_STAGES_MAX && config->n_workers <= REGION_WORKERS_MAX);
	struct region_header header = {
	    .magic = REGION_MAGIC,
	    .version = REGION_VERSION,
	    .n_slots = config->n_slots,
	    .n_stages = config->n_stages,
	    .n_workers = config->n_workers,
	    .n_groups = region_count_groups(config),
	    .frame = config->frame,
	    .max_record = config->max_record,
	    .memory = config->memory ? config->memory : region_memory(config->max_record),
	    .batch_bytes = config->batch_bytes,
	    .batch_exactly = config->batch_exactly,
	    .end_seq = END_UNKNOWN,
	};
	uint64_t least = REGION_PAGES_MIN * (uint64_t)sysconf(_SC_PAGESIZE);
	if (header.memory < least)
		header.memory = least;
	region_lower_slots(&header);
	region_lay_out(&header);
	struct region region = {.fd = -1};
	int fd = memfd_create("leat", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r =
	    ftruncate(fd, (off_t)header.size) < 0 ? -errno : region_map(fd, header.size, &region);
	if (r < 0) {
		fd_close(fd);
		return r;
	}
	*region.header = header;
	for (uint32_t i = 0; i < config->n_stages; i++)
		*region_stage(&region, i) = config->stages[i];
	for (uint32_t i = 0; i < config->n_workers; i++)
		*region_worker(&region, i) = config->workers[i];
	for (uint32_t i = 0; i < header.n_groups; i++)
		*region_limit(&region, i) = UINT32_MAX;
	for (uint64_t seq = 0; seq < header.n_slots; seq++)
		slot_clear_failure(slot_at(&region, seq));
	*ret_region = region;
	return 0;
}

/* What another process wrote is input: each table must lie inside the mapping. */
static bool region_header_is_valid(const struct region_header *header, uint64_t size)
{
	struct region_header expected;
	if (header->magic != REGION_MAGIC || header->version != REGION_VERSION ||
	    header->n_slots == 0 || header->n_slots > REGION_SLOTS_MAX ||
	    (header->n_slots & (header->n_slots - 1)) != 0 ||
	    header->n_stages > REGION_STAGES_MAX || header->n_workers > REGION_WORKERS_MAX ||
	    header->n_groups < GROUP_WORKERS || header->n_groups > REGION_GROUPS_MAX ||
	    header->frame > LEAT_U32)
		return false;
	/* An area has a quarter. Within this, no size below runs over. */
	if (header->memory / 8 > size / (2 * (uint64_t)header->n_slots))
		return false;
	memcpy(&expected, header, offsetof(struct region_header, end_seq));
	region_lay_out(&expected);
	return expected.size == size &&
	       memcmp(&expected, header, offsetof(struct region_header, end_seq)) == 0;
}

static bool region_is_text(const char *text, size_t capacity)
{
	return memchr(text, '\0', capacity) != NULL;
}

static bool region_is_valid(const struct region *region, uint64_t size)
{
	const struct region_header *header = region->header;
	if (!region_header_is_valid(header, size))
		return false;
	for (uint32_t i = 0; i < header->n_stages; i++) {
		const struct region_stage *stage = region_stage(region, i);
		if (stage->group < GROUP_WORKERS || stage->group >= header->n_groups ||
		    !region_is_text(stage->name, sizeof(stage->name)) ||
		    !region_is_text(stage->function, sizeof(stage->function)) ||
		    !region_is_text(stage->target, sizeof(stage->target)))
			return false;
	}
	for (uint32_t i = 0; i < header->n_workers; i++) {
		uint32_t group = region_worker(region, i)->group;
		if (group < GROUP_WORKERS || group >= header->n_groups)
			return false;
	}
	return true;
}

int region_attach(int fd, struct region *ret_region)
{
	struct stat info;
	if (fstat(fd, &info) < 0)
		return -errno;
	if (info.st_size < (off_t)sizeof(struct region_header))
		return -EPROTO;
	struct region region;
	int r = region_map(fd, (uint64_t)info.st_size, &region);
	if (r < 0)
		return r;
	if (!region_is_valid(&region, (uint64_t)info.st_size)) {
		munmap(region.header, (size_t)info.st_size);
		return -EPROTO;
	}
	*ret_region = region;
	return 0;
}

void region_free(struct region *region)
{
	if (!region->header)
		return;
	munmap(region->header, region->header->size);
	fd_close(region->fd);
	*region = (struct region){.fd = -1};
}

static void *region_at(const struct region *region, uint64_t offset)
{
	return (char *)region->header + offset;
}

struct region_stage *region_stage(const struct region *region, unsigned stage)
{
	assert(stage < region->header->n_stages);
	return region_at(
	    region, region->header->stages_offset + (uint64_t)stage * sizeof(struct region_stage));
}

struct region_worker *region_worker(const struct region *region, unsigned worker)
{
	assert(worker < region->header->n_workers);
	return region_at(region,
	    region->header->workers_offset + (uint64_t)worker * sizeof(struct region_worker));
}

uint64_t region_longest(const struct region *region)
{
	const struct region_header *header = region->header;
	uint64_t fits = header->area_capacity - frame_size((enum leat_frame)header->frame, 0);
	return header->max_record < fits ? header->max_record : fits;
}

static struct region_waits *region_waits(const struct region *region, unsigned group)
{
	assert(group < region->header->n_groups);
	return region_at(
	    region, region->header->waits_offset + (uint64_t)group * sizeof(struct region_waits));
}

uint32_t *region_wait_word(const struct region *region, unsigned group)
{
	return &region_waits(region, group)->wait;
}

uint32_t *region_limit(const struct region *region, unsigned group)
{
	return &region_waits(region, group)->limit;
}

uint32_t *region_park_word(const struct region *region, unsigned group)
{
	return &region_waits(region, group)->park;
}

unsigned region_rank(const struct region *region, unsigned worker)
{
	unsigned rank = 0;
	for (unsigned i = 0; i < worker; i++)
		rank += region_worker(region, i)->group == region_worker(region, worker)->group;
	return rank;
}

unsigned region_group_at(const struct region *region, unsigned position)
{
	if (position == 0)
		return GROUP_SOURCE;
	if (position == region_sink(region))
		return GROUP_SINK;
	return region_stage(region, position - 1)->group;
}
