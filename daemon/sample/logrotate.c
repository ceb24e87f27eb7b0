/* A reader of logrotate's configuration: options that hold for all that follows, and blocks of file names in
 * front of braces with options of their own. */
#include "daemon/sample/logrotate.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/sample/sample.h"

#define INCLUDE_DEPTH_MAX 4
#define NAME_SIZE         256

struct options {
        uint32_t interval_hours;
        uint64_t size_bytes, maxsize_bytes;
        uint32_t keep;
};

struct reader {
        const struct root *root; /* NULL: includes are left out */
        struct buffer *buffer;
        struct logrotate *logrotate;
        struct options global;
        unsigned depth;
};

static int read_path(struct reader *reader, const char *path);

static bool is_blank(char c)
{
        return c == ' ' || c == '\t';
}

static struct span trim(struct span span)
{
        while (span.length > 0 && isspace((unsigned char)span.at[0])) {
                span.at++;
                span.length--;
        }
        while (span.length > 0 && isspace((unsigned char)span.at[span.length - 1]))
                span.length--;
        return span;
}

/* ---- options ---- */

static void take_interval(struct options *options, uint32_t hours)
{
        options->interval_hours = hours;
        options->size_bytes = ABSENT; /* the later of "size 1M" and "daily" counts, says logrotate */
}

/* "100", "100k", "1M", "2G" */
static bool take_size(struct span value, uint64_t *ret_bytes)
{
        uint64_t factor = 1, number;
        if (value.length > 0)
                switch (value.at[value.length - 1]) {
                case 'k':
                        factor = UINT64_C(1) << 10;
                        break;
                case 'M':
                        factor = UINT64_C(1) << 20;
                        break;
                case 'G':
                        factor = UINT64_C(1) << 30;
                        break;
                default:
                        break;
                }
        if (factor > 1)
                value.length--;
        if (span_u64(value, &number) < 0 || number > UINT64_MAX / factor)
                return false;
        *ret_bytes = number * factor;
        return true;
}

static void take_option(struct options *options, struct span key, struct span value)
{
        static const struct {
                const char *key;
                uint32_t hours;
        } intervals[] = { { "hourly", 1 },
                          { "daily", 24 },
                          { "weekly", 7 * 24 },
                          { "monthly", 30 * 24 },
                          { "yearly", 365 * 24 } };
        uint64_t number;
        int64_t count;
        for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++)
                if (span_equal(key, intervals[i].key))
                        take_interval(options, intervals[i].hours);
        if (span_equal(key, "size") && take_size(value, &number)) {
                options->size_bytes = number;
                options->interval_hours = 0;
        }
        if (span_equal(key, "maxsize") && take_size(value, &number))
                options->maxsize_bytes = number;
        if (span_equal(key, "rotate") && span_i64(value, &count) == 0)
                options->keep = count < 0 || count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

/* ---- lines and blocks ---- */

static bool begins_script(struct span key)
{
        static const char *const scripts[] = { "prerotate", "postrotate", "firstaction", "lastaction",
                                               "preremove" };
        for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
                if (span_equal(key, scripts[i]))
                        return true;
        return false;
}

/* A script may hold braces, and anything else. */
static void skip_script(struct span *text)
{
        struct span line;
        while (span_take_line(text, &line))
                if (span_equal(trim(line), "endscript"))
                        return;
}

/* "size 1M", "size=1M" */
static void split_line(struct span line, struct span *ret_key, struct span *ret_value)
{
        size_t length = 0;
        while (length < line.length && !is_blank(line.at[length]) && line.at[length] != '=')
                length++;
        *ret_key = (struct span){ line.at, length };
        while (length < line.length && (is_blank(line.at[length]) || line.at[length] == '='))
                length++;
        *ret_value = trim((struct span){ line.at + length, line.length - length });
}

static void add_rule(struct logrotate *logrotate, struct span pattern)
{
        if (logrotate->count == LOGROTATE_RULES_MAX || pattern.length >= LOGROTATE_PATTERN_MAX) {
                logrotate->dropped++;
                return;
        }
        struct logrotate_rule *rule = &logrotate->rules[logrotate->count++];
        *rule = (struct logrotate_rule){ 0 };
        (void)span_copy(pattern, rule->pattern, sizeof(rule->pattern));
}

/* The names in front of a block, blanks in quotes or behind a backslash being part of them. */
static void take_names(struct logrotate *logrotate, struct span names)
{
        char name[LOGROTATE_PATTERN_MAX + 1];
        size_t at = 0;
        while (at < names.length) {
                size_t length = 0;
                char quote = '\0';
                for (; at < names.length; at++) {
                        char c = names.at[at];
                        if (quote ? c == quote : (c == '"' || c == '\'')) {
                                quote = quote ? '\0' : c;
                                continue;
                        }
                        if (!quote && isspace((unsigned char)c))
                                break;
                        if (c == '\\' && at + 1 < names.length)
                                c = names.at[++at];
                        if (length < sizeof(name))
                                name[length++] = c;
                }
                if (length > 0)
                        add_rule(logrotate, (struct span){ name, length });
                at++;
        }
}

static void take_block(struct reader *reader, size_t first_rule, struct span *text)
{
        struct options options = reader->global;
        struct span line, key, value;
        while (span_take_line(text, &line)) {
                line = trim(line);
                const char *end = memchr(line.at, '}', line.length);
                if (line.length > 0 && line.at[0] == '#')
                        continue;
                if (end) { /* "daily }" */
                        text->length += (size_t)(text->at - (end + 1));
                        text->at = end + 1;
                        line = trim((struct span){ line.at, (size_t)(end - line.at) });
                }
                split_line(line, &key, &value);
                if (begins_script(key))
                        skip_script(text);
                else
                        take_option(&options, key, value);
                if (end)
                        break;
        }
        for (size_t i = first_rule; i < reader->logrotate->count; i++) {
                struct logrotate_rule *rule = &reader->logrotate->rules[i];
                rule->interval_hours = options.interval_hours;
                rule->size_bytes = options.size_bytes < options.maxsize_bytes ? options.size_bytes
                                                                              : options.maxsize_bytes;
                rule->keep = options.keep;
        }
}

static void parse(struct reader *reader, struct span text, char include[static NAME_SIZE])
{
        struct span line, key, value;
        include[0] = '\0';
        for (;;) {
                while (text.length > 0 && isspace((unsigned char)text.at[0])) {
                        text.at++;
                        text.length--;
                }
                if (text.length == 0)
                        return;
                if (text.at[0] == '#' || isalpha((unsigned char)text.at[0])) {
                        (void)span_take_line(&text, &line);
                        if (line.at[0] == '#')
                                continue;
                        split_line(trim(line), &key, &value);
                        if (!span_equal(key, "include")) {
                                take_option(&reader->global, key, value);
                                continue;
                        }
                        if (reader->root && value.length < NAME_SIZE)
                                (void)span_copy(value, include, NAME_SIZE);
                        if (include[0]) /* the rest is parsed when that has been read */
                                (void)read_path(reader, include);
                        continue;
                }
                size_t first = reader->logrotate->count;
                struct span names;
                if (!span_take_until(&text, '{', &names))
                        return; /* a stray name or brace: the rest means nothing */
                take_names(reader->logrotate, names);
                take_block(reader, first, &text);
        }
}

/* ---- files ---- */

static bool is_taboo(const char *name)
{
        static const char *const endings[] = { ",v",        ".cfsaved",   ".disabled", ".dpkg-bak",
                                               ".dpkg-del", ".dpkg-dist", ".dpkg-new", ".dpkg-old",
                                               ".rpmnew",   ".rpmorig",   ".rpmsave",  ".swp",
                                               ".ucf-dist", ".ucf-new",   ".ucf-old",  "~" };
        size_t length = strlen(name);
        for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
                size_t ending = strlen(endings[i]);
                if (length >= ending && strcmp(name + length - ending, endings[i]) == 0)
                        return true;
        }
        return name[0] == '.';
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(a, b);
}

/* In the order of their names, as logrotate does. */
static int read_directory(struct reader *reader, const char *path)
{
        char(*names)[NAME_SIZE] = NULL;
        size_t count = 0;
        CLEANUP_CLOSE int fd = root_open_directory(reader->root, path);
        if (fd < 0)
                return fd;
        CLEANUP_CLOSEDIR DIR *directory = fdopendir(fd);
        if (!directory)
                return -errno;
        (void)take_fd(&fd);
        CLEANUP_FREE void *owned = calloc(LOGROTATE_FILES_MAX, NAME_SIZE);
        if (!owned)
                return -ENOMEM;
        names = owned;
        for (struct dirent *entry; count < LOGROTATE_FILES_MAX && (entry = readdir(directory));)
                if (!is_taboo(entry->d_name) &&
                    (entry->d_type == DT_REG || entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN))
                        memcpy(names[count++], entry->d_name, sizeof(entry->d_name));
        qsort(names, count, NAME_SIZE, compare_names);
        for (size_t i = 0; i < count; i++) {
                char file[2 * NAME_SIZE + 2];
                text_format(file, sizeof(file), "%s/%s", path, names[i]);
                (void)read_path(reader, file); /* one that cannot be read hides nothing of the others */
        }
        return 0;
}

static int read_file(struct reader *reader, const char *path)
{
        struct span text;
        char include[NAME_SIZE];
        int r = buffer_read(reader->buffer, reader->root, path, &text);
        if (r < 0 && r != -EFBIG)
                return r;
        /* What it includes is read into the same buffer. */
        CLEANUP_FREE char *copy = malloc(text.length + 1);
        if (!copy)
                return -ENOMEM;
        memcpy(copy, text.at, text.length);
        parse(reader, (struct span){ copy, text.length }, include);
        return 0;
}

static int read_path(struct reader *reader, const char *path)
{
        while (*path == '/')
                path++;
        if (!*path || reader->depth == INCLUDE_DEPTH_MAX)
                return -EINVAL;
        reader->depth++;
        int r = read_directory(reader, path);
        if (r == -ENOTDIR)
                r = read_file(reader, path);
        reader->depth--;
        return r;
}

/* Weekly, and nothing kept, unless told otherwise. */
static struct reader reader_of(const struct root *root, struct buffer *buffer, struct logrotate *logrotate)
{
        return (struct reader){
                .root = root,
                .buffer = buffer,
                .logrotate = logrotate,
                .global = { .interval_hours = 7 * 24, .size_bytes = ABSENT, .maxsize_bytes = ABSENT }
        };
}

int logrotate_read(const struct root *root, struct buffer *buffer, struct logrotate *ret_logrotate)
{
        struct reader reader = reader_of(root, buffer, ret_logrotate);
        ret_logrotate->count = 0;
        ret_logrotate->dropped = 0;
        return read_path(&reader, "etc/logrotate.conf");
}

void logrotate_parse(struct span text, struct logrotate *logrotate)
{
        struct reader reader = reader_of(NULL, NULL, logrotate);
        char include[NAME_SIZE];
        parse(&reader, text, include);
}

const struct logrotate_rule *logrotate_find(const struct logrotate *logrotate, const char *path)
{
        for (size_t i = 0; i < logrotate->count; i++)
                if (fnmatch(logrotate->rules[i].pattern, path, FNM_PATHNAME | FNM_PERIOD) == 0)
                        return &logrotate->rules[i];
        return NULL;
}
