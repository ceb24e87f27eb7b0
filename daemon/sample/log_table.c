/* Entries, their marks and their worth. */
#include "daemon/sample/log_table.h"

#include <string.h>

#include "common/text.h"

#define GROWTH_LEAST_USEC  (5 * USEC_PER_SEC)
#define READER_MEMORY_USEC (10 * USEC_PER_MINUTE)

/* ---- names ---- */

static bool ends_with(const char *path, const char *ending)
{
        size_t length = strlen(path), tail = strlen(ending);
        return length >= tail && strcmp(path + length - tail, ending) == 0;
}

static bool ends_with_any(const char *path, const char *const *endings)
{
        for (; *endings; endings++)
                if (ends_with(path, *endings))
                        return true;
        return false;
}

static bool starts_with(const char *path, const char *start)
{
        return strncmp(path, start, strlen(start)) == 0;
}

enum log_kind log_kind_of_path(const char *path, bool is_appended_to)
{
        static const char *const archives[] = { ".gz",  ".xz",   ".zst",     ".bz2",    ".lz4",     ".zip",
                                                ".7z",  ".tar",  ".db",      ".sqlite", ".sqlite3", "-wal",
                                                ".ibd", ".frm",  ".MYI",     ".MYD",    ".qcow2",   ".img",
                                                ".iso", ".part", ".journal", ".aof",    ".wal",     ".deb",
                                                ".rpm", NULL };
        static const char *const logs[] = { ".log", ".out", ".err", ".json.log", NULL };
        if (ends_with_any(path, archives))
                return LOG_OTHER;
        if ((starts_with(path, "/var/lib/docker/containers/") && ends_with(path, "-json.log")) ||
            starts_with(path, "/var/log/pods/") || starts_with(path, "/var/log/containers/"))
                return LOG_CONTAINER;
        /* Data is appended to as well, and nobody should be told to let logrotate cut it: the name must say
         * so. */
        const char *name = strrchr(path, '/');
        bool is_called_log = name && (strcasestr(name, "log") || strcasestr(name, "trace") ||
                                      strcasestr(name, "debug") || strcasestr(name, "error"));
        if ((is_appended_to && is_called_log) || starts_with(path, "/var/log/") ||
            ends_with_any(path, logs) || strstr(path, "/log/") || strstr(path, "/logs/") ||
            strstr(path, ".log."))
                return LOG_FILE;
        return LOG_OTHER;
}

/* ---- entries ---- */

double log_entry_growth(const struct log_entry *entry)
{
        const struct log_mark *mark = entry->marks[0].when_usec ? &entry->marks[0] : &entry->marks[1];
        if (mark->when_usec == 0 || entry->looked_usec < mark->when_usec + GROWTH_LEAST_USEC)
                return 0;
        return ((double)entry->facts.size_bytes - (double)mark->size_bytes) /
               ((double)(entry->looked_usec - mark->when_usec) / (double)USEC_PER_SEC);
}

static bool is_read_lately(const struct log_entry *entry, usec_t now_usec)
{
        return entry->reader_usec && now_usec - entry->reader_usec < READER_MEMORY_USEC;
}

/* An hour of its growth is worth as much as its size; who is read over and over comes first of all. */
static double worth(const struct log_entry *entry, usec_t now_usec)
{
        double growth = log_entry_growth(entry);
        double bytes = entry->kind == LOG_DELETED ? (double)entry->facts.allocated_bytes
                                                  : (double)entry->facts.size_bytes;
        return bytes + (growth > 0 ? 3600 * growth : 0) + (is_read_lately(entry, now_usec) ? 1e15 : 0);
}

static bool is_same_file(const struct log_facts *a, const struct log_facts *b)
{
        return a->device == b->device && a->inode == b->inode;
}

static struct log_entry *find(struct log_table *table, const char *path, enum log_kind kind,
                              const struct log_facts *facts)
{
        for (size_t i = 0; i < table->count; i++) {
                struct log_entry *entry = &table->entries[i];
                if (kind == LOG_DELETED ? is_same_file(&entry->facts, facts)
                                        : entry->kind != LOG_DELETED && strcmp(entry->path, path) == 0)
                        return entry;
        }
        return NULL;
}

static void set_mark(struct log_entry *entry, usec_t now_usec)
{
        entry->marks[1] = (struct log_mark){ .when_usec = now_usec,
                                             .size_bytes = entry->facts.size_bytes,
                                             .opens = entry->opens,
                                             .read_bytes = entry->read_bytes };
}

void log_table_update(struct log_entry *entry, const struct log_facts *facts, usec_t now_usec)
{
        bool is_new = entry->looked_usec == 0 || !is_same_file(&entry->facts, facts) ||
                      facts->size_bytes < entry->facts.size_bytes;
        if (is_new || facts->size_bytes != entry->facts.size_bytes)
                entry->changed_usec = now_usec;
        entry->facts = *facts;
        entry->looked_usec = now_usec;
        if (is_new) {
                entry->marks[0].when_usec = 0;
                set_mark(entry, now_usec);
        }
}

static struct log_entry *make_room(struct log_table *table, double bytes, usec_t now_usec)
{
        if (table->count < LOG_ENTRIES_MAX)
                return &table->entries[table->count++];
        struct log_entry *least = &table->entries[0];
        for (size_t i = 1; i < table->count; i++)
                if (worth(&table->entries[i], now_usec) < worth(least, now_usec))
                        least = &table->entries[i];
        /* Who holds a watch keeps its place: another would get its events. */
        return least->watch < 0 && worth(least, now_usec) < bytes ? least : NULL;
}

struct log_entry *log_table_note(struct log_table *table, const char *path, enum log_kind kind,
                                 const struct log_facts *facts, usec_t now_usec)
{
        struct log_entry *entry = find(table, path, kind, facts);
        if (!entry) {
                double bytes =
                        kind == LOG_DELETED ? (double)facts->allocated_bytes : (double)facts->size_bytes;
                entry = make_room(table, bytes, now_usec);
                if (!entry)
                        return NULL;
                *entry = (struct log_entry){
                        .kind = (uint8_t)kind, .watch = -1, .reader_chars = ABSENT, .rotation_bytes = ABSENT
                };
                (void)span_copy(span_of(path), entry->path, sizeof(entry->path));
        }
        if (kind == LOG_DELETED && entry->kind != LOG_DELETED) { /* removed since */
                entry->kind = LOG_DELETED;
                (void)span_copy(span_of(path), entry->path, sizeof(entry->path));
        }
        if (entry->kind == LOG_OTHER && kind == LOG_FILE)
                entry->kind = LOG_FILE;
        log_table_update(entry, facts, now_usec);
        return entry;
}

void log_table_forget(struct log_table *table, struct log_entry *entry)
{
        *entry = table->entries[--table->count];
}

void log_table_mark(struct log_table *table, usec_t now_usec)
{
        for (size_t i = 0; i < table->count; i++) {
                struct log_entry *entry = &table->entries[i];
                if (now_usec - entry->marks[1].when_usec < LOG_LOOK_BACK_USEC)
                        continue;
                entry->marks[0] = entry->marks[1];
                set_mark(entry, now_usec);
        }
}

/* ---- what is told ---- */

static void tell(const struct log_entry *entry, usec_t now_usec, struct log_file_sample *row)
{
        const struct log_mark *mark = entry->marks[0].when_usec ? &entry->marks[0] : &entry->marks[1];
        bool is_read = is_read_lately(entry, now_usec);
        *row = (struct log_file_sample){
                .major = entry->facts.major,
                .minor = entry->facts.minor,
                .writer_pid = entry->writer_pid,
                .reader_pid = is_read ? entry->reader_pid : 0,
                .kind = entry->kind,
                .rotation = entry->rotation,
                .rotation_hours = entry->rotation_hours,
                .rotation_bytes = entry->rotation_bytes,
                .size_bytes = entry->facts.size_bytes,
                .allocated_bytes = entry->facts.allocated_bytes,
                .modified_usec = entry->facts.modified_usec,
                .earlier_bytes = mark->size_bytes,
                .earlier_usec = entry->looked_usec - mark->when_usec,
                .opens = ABSENT,
                .read_bytes = ABSENT,
        };
        memcpy(row->path, entry->path, sizeof(row->path));
        memcpy(row->writer, entry->writer, sizeof(row->writer));
        if (is_read)
                memcpy(row->reader, entry->reader, sizeof(row->reader));
        if (entry->watch >= 0) {
                usec_t since = mark->when_usec > entry->watched_since_usec ? mark->when_usec
                                                                           : entry->watched_since_usec;
                row->watched_usec = now_usec - since;
                row->opens = entry->opens - (mark->when_usec > entry->watched_since_usec ? mark->opens : 0);
                row->read_bytes = entry->read_bytes -
                                  (mark->when_usec > entry->watched_since_usec ? mark->read_bytes : 0);
        }
}

size_t log_table_choose(const struct log_table *table, usec_t now_usec, struct log_file_sample *ret_rows,
                        size_t max)
{
        double worths[LOG_ENTRIES_MAX]; /* below 0: told already */
        size_t count = 0;
        for (size_t i = 0; i < table->count; i++)
                worths[i] = worth(&table->entries[i], now_usec);
        while (count < max && count < table->count) {
                size_t best = 0;
                for (size_t i = 1; i < table->count; i++)
                        if (worths[i] > worths[best])
                                best = i;
                worths[best] = -1;
                tell(&table->entries[best], now_usec, &ret_rows[count++]);
        }
        return count;
}
