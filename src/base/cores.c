/* SPDX-License-Identifier: Apache-2.0 */
#include "cores.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CORES_MAX 4096u

static unsigned cores_of_affinity(void)
{
	cpu_set_t set;
	/* On a machine with more cores than a cpu_set_t has bits it fails. */
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return (unsigned)CPU_COUNT(&set);
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 0 ? (unsigned)n : 1;
}

/* A file's first line, without its end. Returns whether there is one. */
static bool cores_read(const char *folder, const char *name, char *line, int capacity)
{
	char path[4096];
	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return false;
	FILE *file = fopen(path, "re");
	bool is = file && fgets(line, capacity, file);
	if (file)
		fclose(file);
	if (is)
		line[strcspn(line, "\n")] = '\0';
	return is;
}

/* A quota of a period as cores, a begun one counted whole; 0: there is no quota. */
static unsigned cores_of_quota(const char *quota, const char *period)
{
	long long a = atoll(quota);
	long long b = atoll(period);
	if (a <= 0 || b <= 0)
		return 0;
	long long n = (a + b - 1) / b;
	return n < CORES_MAX ? (unsigned)n : CORES_MAX;
}

unsigned cores_of_folder(const char *folder)
{
	char quota[64];
	char period[64];
	if (cores_read(folder, "cpu.max", quota, sizeof(quota))) {
		char *space = strchr(quota, ' ');
		return space ? cores_of_quota(quota, space + 1) : 0;
	}
	if (cores_read(folder, "cpu.cfs_quota_us", quota, sizeof(quota)) &&
	    cores_read(folder, "cpu.cfs_period_us", period, sizeof(period)))
		return cores_of_quota(quota, period);
	return 0;
}

/* The least quota of a group and all those above it, up to the mount; 0: none. */
static unsigned cores_of_group(const char *mount, const char *group)
{
	char folder[4096];
	unsigned least = 0;
	size_t root = strlen(mount);
	if (snprintf(folder, sizeof(folder), "%s%s", mount, group) >= (int)sizeof(folder))
		return 0;
	for (;;) {
		unsigned n = cores_of_folder(folder);
		if (n > 0 && (least == 0 || n < least))
			least = n;
		char *slash = strrchr(folder, '/');
		if (!slash || (size_t)(slash - folder) < root)
			return least;
		*slash = '\0';
	}
}

/* What this process's control groups allow: 0::/path of version 2, N:...,cpu,...:/path of 1. */
static unsigned cores_of_cgroup(void)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[4096];
	unsigned least = 0;
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		char *kinds = strchr(line, ':');
		char *group = kinds ? strchr(kinds + 1, ':') : NULL;
		if (!group)
			continue;
		*group++ = '\0';
		bool is_second = kinds[1] == '\0';
		char list[4200];
		snprintf(list, sizeof(list), ",%s,", kinds + 1);
		if (!is_second && !strstr(list, ",cpu,"))
			continue;
		unsigned n = cores_of_group(is_second ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu",
		    strcmp(group, "/") == 0 ? "" : group);
		if (n > 0 && (least == 0 || n < least))
			least = n;
	}
	if (file)
		fclose(file);
	return least;
}

unsigned cores_usable(void)
{
	const char *said = getenv("LEAT_CORES");
	char *end = NULL;
	unsigned long n = said ? strtoul(said, &end, 10) : 0;
	if (said && said[0] >= '1' && said[0] <= '9' && *end == '\0' && n <= CORES_MAX)
		return (unsigned)n;
	unsigned quota = cores_of_cgroup();
	unsigned cores = cores_of_affinity();
	return quota > 0 && quota < cores ? quota : cores;
}
