/* The journal's files together: their size, and who fills them. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/sample/log_scan_internal.h"

#define FILES_MAX    1024 /* of one journal; it keeps to a hundred by itself */
#define MACHINES_MAX 8    /* whose journals lie below one directory */

static struct log_journal_unit *find_unit(struct log_journal *journal, const char *name)
{
        for (size_t i = 0; i < journal->unit_count; i++)
                if (strcmp(journal->units[i].unit, name) == 0)
                        return &journal->units[i];
        struct log_journal_unit *unit = &journal->units[0];
        if (journal->unit_count < JOURNAL_UNITS_MAX)
                unit = &journal->units[journal->unit_count++];
        else /* the one that writes least gives way */
                for (size_t i = 1; i < journal->unit_count; i++)
                        if (journal->units[i].entries < unit->entries)
                                unit = &journal->units[i];
        *unit = (struct log_journal_unit){ .entries = 0 };
        (void)span_copy(span_of(name), unit->unit, sizeof(unit->unit));
        return unit;
}

static struct log_journal_file *find_file(struct log_journal *journal, uint64_t name)
{
        for (size_t i = 0; i < LOG_JOURNAL_FILES_MAX; i++)
                if (journal->files[i].name == name)
                        return &journal->files[i];
        for (size_t i = 0; i < LOG_JOURNAL_FILES_MAX; i++)
                if (journal->files[i].name == 0)
                        return &journal->files[i];
        return NULL;
}

static uint64_t entries_before(const struct log_journal_file *file, uint64_t unit)
{
        for (size_t i = 0; i < file->unit_count; i++)
                if (file->units[i] == unit)
                        return file->unit_entries[i];
        return 0;
}

static void add(struct log_journal *journal, const char *unit, uint64_t before, uint64_t now)
{
        if (now > before)
                find_unit(journal, unit)->entries += now - before;
}

/* What was written since the last look; nothing at the first, for then nobody knows over what time. */
static void take_units(struct log_journal *journal, uint64_t name)
{
        const struct journal_units *read = &journal->read;
        struct log_journal_file *file = find_file(journal, name);
        if (!file)
                return;
        bool is_first = file->name == 0;
        if (!is_first && memcmp(file->file_id, read->file_id, JOURNAL_ID_BYTES) != 0) {
                file->unit_count = 0; /* it has been rotated */
                file->entries = 0;
        }
        uint64_t of_units = 0;
        for (size_t i = 0; i < read->count; i++) {
                uint64_t before = entries_before(file, text_hash(HASH_SEED, read->units[i].unit));
                if (!is_first)
                        add(journal, read->units[i].unit, before, read->units[i].entries);
                if (read->units[i].entries > before)
                        of_units += read->units[i].entries - before;
        }
        if (!is_first && read->entries > file->entries && read->entries - file->entries > of_units)
                add(journal, "", of_units, read->entries - file->entries);
        file->name = name;
        file->entries = read->entries;
        memcpy(file->file_id, read->file_id, JOURNAL_ID_BYTES);
        file->unit_count = read->count;
        for (size_t i = 0; i < read->count; i++) {
                file->units[i] = text_hash(HASH_SEED, read->units[i].unit);
                file->unit_entries[i] = read->units[i].entries;
        }
}

/* "system.journal", "user-1000.journal"; with an "@" it is finished. */
static bool is_written_to(const char *name)
{
        size_t length = strlen(name);
        return length > 8 && strcmp(name + length - 8, ".journal") == 0 && !strchr(name, '@');
}

static void look_at_machine(struct log_scan *scan, const char *path, struct log_facts *sum)
{
        size_t left = FILES_MAX;
        CLEANUP_CLOSE int fd = root_open_directory_at(scan->root_fd, path);
        CLEANUP_CLOSEDIR DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
        if (!directory)
                return;
        int directory_fd = take_fd(&fd);
        for (struct dirent *entry; left-- > 0 && (entry = readdir(directory));) {
                struct log_facts facts;
                if (entry->d_type != DT_REG || !strstr(entry->d_name, ".journal") ||
                    !log_scan_stat(scan, directory_fd, entry->d_name, false, &facts))
                        continue;
                /* As journalctl --disk-usage counts: its files are made larger than they are filled. */
                sum->size_bytes += facts.allocated_bytes;
                sum->allocated_bytes += facts.allocated_bytes;
                if (facts.modified_usec > sum->modified_usec)
                        sum->modified_usec = facts.modified_usec;
                if (!is_written_to(entry->d_name))
                        continue;
                CLEANUP_CLOSE int file_fd = root_open_at(directory_fd, entry->d_name);
                if (file_fd >= 0 && journal_file_read(file_fd, &scan->journal.read) == 0)
                        take_units(&scan->journal, text_hash(text_hash(HASH_SEED, path), entry->d_name));
        }
}

static void look_below(struct log_scan *scan, const char *path)
{
        struct log_facts facts, sum;
        size_t left = MACHINES_MAX;
        if (!log_scan_stat(scan, scan->root_fd, path, true, &facts))
                return;
        sum = facts;
        sum.size_bytes = sum.allocated_bytes = sum.modified_usec = 0;
        CLEANUP_CLOSE int fd = root_open_directory_at(scan->root_fd, path);
        CLEANUP_CLOSEDIR DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
        if (!directory)
                return;
        (void)take_fd(&fd);
        for (struct dirent *entry; left > 0 && (entry = readdir(directory));) {
                char below[PATH_TEXT_MAX];
                size_t length = 0;
                if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
                    !text_append(below, sizeof(below), &length, "%s/%s", path, entry->d_name))
                        continue;
                left--;
                look_at_machine(scan, below, &sum);
        }
        if (sum.size_bytes == 0)
                return;
        char name[PATH_TEXT_MAX];
        text_format(name, sizeof(name), "/%s", path);
        struct log_entry *entry = log_table_note(&scan->table, name, LOG_JOURNAL, &sum, scan->now_usec);
        if (entry)
                (void)span_copy(SPAN("systemd-journald"), entry->writer, sizeof(entry->writer));
}

void log_journal_look(struct log_scan *scan)
{
        look_below(scan, "var/log/journal");
        look_below(scan, "run/log/journal");
        for (size_t i = 0; i < scan->journal.unit_count; i++) {
                struct log_journal_unit *unit = &scan->journal.units[i];
                if (unit->marks_usec[1] == 0) { /* new: it has written all that since the look before */
                        unit->marks_usec[1] = scan->now_usec;
                        continue;
                }
                if (scan->now_usec - unit->marks_usec[1] < LOG_LOOK_BACK_USEC)
                        continue;
                unit->marks_usec[0] = unit->marks_usec[1];
                unit->marks[0] = unit->marks[1];
                unit->marks_usec[1] = scan->now_usec;
                unit->marks[1] = unit->entries;
        }
}

/* A unit that has just begun to write has been at it since the scan knows of it. */
static struct log_unit_sample tell(const struct log_scan *scan, const struct log_journal_unit *unit)
{
        size_t mark = unit->marks_usec[0] ? 0 : 1;
        struct log_unit_sample row = { .entries = unit->entries,
                                       .earlier_entries = unit->marks[mark],
                                       .earlier_usec = scan->now_usec - unit->marks_usec[mark] };
        memcpy(row.unit, unit->unit, sizeof(row.unit));
        return row;
}

size_t log_journal_choose(const struct log_scan *scan, struct log_unit_sample *ret_rows, size_t max)
{
        size_t count = 0;
        for (size_t i = 0; i < scan->journal.unit_count; i++) {
                struct log_unit_sample row = tell(scan, &scan->journal.units[i]);
                uint64_t written = row.entries - row.earlier_entries;
                size_t at = count < max ? count++ : max - 1;
                if (at == max - 1 && count == max && i >= max &&
                    ret_rows[at].entries - ret_rows[at].earlier_entries >= written)
                        continue;
                for (; at > 0 && ret_rows[at - 1].entries - ret_rows[at - 1].earlier_entries < written; at--)
                        ret_rows[at] = ret_rows[at - 1];
                ret_rows[at] = row;
        }
        return count;
}
