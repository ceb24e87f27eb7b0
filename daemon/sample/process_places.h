/* On which disks those processes work that move or wait for much: the file systems of the files that they
 * hold open. The kernel counts a process's bytes, but not on which disk; cgroup v2 does, for units only. Few
 * processes are looked at, and none often; nothing is stat'ed, so a dead server stops nobody. */
#pragma once

#include "daemon/root.h"
#include "daemon/sample/process_files.h"
#include "daemon/sample/sample.h"

#define PLACES_MAX 64

struct place {
        uint32_t pid;
        uint64_t start_ticks;
        usec_t looked_usec;   /* monotonic; 0: the slot is free */
        uint64_t directories; /* hash of the names of those that were open; 0 none */
        usec_t changed_usec;  /* when they were last others than before */
        uint32_t changes;     /* how often in a row */
};

struct process_places {
        struct process_files files;
        struct place list[PLACES_MAX];
};

void process_places_init(struct process_places *places, const struct root *root);
/* Fills io_devices and is_walking of sample->processes where `older` (may be NULL) tells that they do much;
 * disks and mounts must be there already. */
void process_places_collect(struct process_places *places, const struct sample *older, struct sample *sample);

/* "pos:\t0\nflags:\t0100000\nmnt_id:\t27\n...": 0, or -EINVAL. */
int process_places_parse(struct span text, uint64_t *ret_flags, uint32_t *ret_mount_id);
/* The number of the disk that a mount lies on, of btrfs too; of one that lies on none its own. */
uint32_t process_places_device(const struct sample *sample, const struct mount_sample *mount);
