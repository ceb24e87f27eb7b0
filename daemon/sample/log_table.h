/* The files that the log scan keeps an eye on: a fixed number, those that grow, are read over and over, or
 * are large. Knows how they change, not where they come from. */
#pragma once

#include "daemon/sample/sample.h"

#define LOG_ENTRIES_MAX    128
#define LOG_LOOK_BACK_USEC (5 * USEC_PER_MINUTE)

/* What stat says of a file. */
struct log_facts {
        uint64_t device, inode; /* as in struct stat */
        uint32_t major, minor;  /* of its file system in the mount table */
        uint64_t size_bytes, allocated_bytes;
        usec_t modified_usec;
};

/* Counters at one moment, to compare with later. */
struct log_mark {
        usec_t when_usec; /* monotonic; 0: none */
        uint64_t size_bytes, opens, read_bytes;
};

struct log_entry {
        char path[PATH_TEXT_MAX];
        struct log_facts facts;
        uint8_t kind; /* enum log_kind */
        uint32_t writer_pid, reader_pid;
        char writer[COMM_MAX], reader[COMM_MAX];
        uint32_t holder_fd;    /* of the writer, where it has no name: the only way to it */
        usec_t looked_usec;    /* monotonic, of the facts */
        usec_t changed_usec;   /* when it was last seen to have changed */
        usec_t reader_usec;    /* when somebody was last seen reading it */
        uint64_t opens;        /* since it is watched */
        uint64_t read_bytes;   /* by its reader, since that is known */
        uint64_t reader_chars; /* its counter then; ABSENT unknown */
        int watch;             /* inotify; -1 none */
        usec_t watched_since_usec;
        bool has_rotation; /* looked up: */
        uint8_t rotation;
        uint32_t rotation_hours;
        uint64_t rotation_bytes;
        struct log_mark marks[2]; /* [0] five to ten minutes old, or none yet; [1] newer */
};

struct log_table {
        struct log_entry entries[LOG_ENTRIES_MAX];
        size_t count;
};

/* The entry of a file, made if it is worth a place; NULL if it is not. Takes the facts over: a file that was
 * cut, or replaced by another of its name, begins anew. */
struct log_entry *log_table_note(struct log_table *table, const char *path, enum log_kind kind,
                                 const struct log_facts *facts, usec_t now_usec);
/* The same for one that is there. */
void log_table_update(struct log_entry *entry, const struct log_facts *facts, usec_t now_usec);
void log_table_forget(struct log_table *table, struct log_entry *entry);
/* Moves the marks on; once a look. */
void log_table_mark(struct log_table *table, usec_t now_usec);
/* Bytes per second since the older mark; 0 if it is not long enough ago. */
double log_entry_growth(const struct log_entry *entry);
/* The rows worth telling, most worth first. Returns how many. */
size_t log_table_choose(const struct log_table *table, usec_t now_usec, struct log_file_sample *ret_rows,
                        size_t max);

/* What a name says: a log by its place or ending, or nothing of the kind (an archive, a database). */
enum log_kind log_kind_of_path(const char *path, bool is_appended_to);
