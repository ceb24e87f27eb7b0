/* Who fills a file system, as far as that can be told: the files on it that grow, who writes them, and the
 * programs that work there and write most. */
#pragma once

#include "daemon/checks/blame.h"
#include "daemon/checks/places.h"

/* The file lies on that file system. */
bool filling_is_on(const struct log_file_sample *file, const struct file_system_sample *place);
/* Bytes per second over the minutes that the scan looks back; NAN if that is not long enough yet. */
double filling_growth(const struct log_file_sample *file);
/* The file on it that grows fastest, NULL if none does. */
const struct log_file_sample *filling_file(const struct sample *sample,
                                           const struct file_system_sample *place);
/* The largest without a name that is still held open; NULL if none. */
const struct log_file_sample *filling_deleted(const struct sample *sample,
                                              const struct file_system_sample *place);

/* The families that a finding speaks of; those of a window know nobody who did next to nothing in it. */
struct filling_families {
        struct family rows[FAMILIES_MAX];
        size_t count;
};

/* The family of one process, made and added if need be; NULL if it is gone. */
const struct family *filling_family(const struct snapshot *snapshot, struct filling_families *families,
                                    uint32_t pid);
/* Who writes to it: the writer of the file that grows fastest; else, of those who work below its mount point,
 * who writes most, at least `least` bytes per second. NULL if nobody was seen there. */
const struct family *filling_writer(const struct snapshot *snapshot, const struct file_system_sample *place,
                                    struct filling_families *families, double least);

/* Commands with a path: "" if a shell would not take it literally. Returns buffer. */
const char *command_on_path(char buffer[static FINDING_TEXT_MAX], const char *path, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* Whether a shell and logrotate take the path literally. */
bool is_plain_path(const char *path);
