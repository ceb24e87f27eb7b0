/* slowd.conf through libinih: which settings exist, their ranges, and a sentence with file and line for each
 * mistake. libinih splits lines; it is fed line by line, so that the line is known when a setting is wrong.
 */
#include "daemon/config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "common/time_grammar.h"
#include "daemon/root.h"

#define CONFIG_FILE_MAX          (64 * 1024) /* bytes */
#define CONFIG_LINE_MAX          196         /* libinih splits longer lines in two (INI_MAX_LINE 200) */
#define CONFIG_SECTION_MAX       48          /* and cuts longer section names */
#define CONFIG_DROP_INS_MAX      64
#define INTERVAL_DEFAULT_USEC    (5 * USEC_PER_SEC)
#define FAST_DEFAULT_USEC        (1 * USEC_PER_SEC)
#define KEEP_SAMPLES_DEFAULT     (30 * USEC_PER_DAY)
#define KEEP_SUMMARIES_DEFAULT   (396 * USEC_PER_DAY) /* 13 months: the same month a year ago, whole */
#define SIZE_DEFAULT_BYTES       UINT64_C(500000000)
#define CONFIG_VALUE_SHOWN_MAX   64
#define CONFIG_PATH_MAX          4096
#define CONFIG_CHECK_PREFIX      "check "
#define CONFIG_DECIMAL_DIGITS    9                          /* behind the point */
#define CONFIG_DECIMAL_WHOLE_MAX UINT64_C(1000000000000000) /* 10^15: exact in a double */

struct parser {
        const char *name; /* of the file */
        struct span rest;
        unsigned line;
        struct config *config;
        char *error; /* the first mistake's sentence; empty until then */
        size_t error_size;
};

/* ---- sentences ---- */

__attribute__((format(printf, 2, 3))) static void parser_fail(struct parser *parser, const char *format, ...)
{
        if (parser->error[0])
                return;
        size_t length = 0;
        (void)text_append(parser->error, parser->error_size, &length, "%s:%u: ", parser->name, parser->line);
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(parser->error + length, parser->error_size - length, format, arguments);
        va_end(arguments);
        text_sanitize(parser->error, "");
}

static const char *shown(const char *value, char buffer[static CONFIG_VALUE_SHOWN_MAX])
{
        (void)span_copy(span_of(value), buffer, CONFIG_VALUE_SHOWN_MAX);
        return buffer;
}

/* ---- values ---- */

/* Digits with an optional fraction: "5", "0.25". No sign, no exponent, no infinity. */
static int parse_decimal(struct span text, double *ret_value)
{
        uint64_t whole, fraction = 0;
        double scale = 1;
        struct span part;
        if (span_take_until(&text, '.', &part)) {
                if (text.length > CONFIG_DECIMAL_DIGITS)
                        return -ERANGE;
                int r = span_u64(text, &fraction);
                if (r < 0)
                        return r;
                scale = pow(10, (double)text.length);
        } else {
                part = text;
        }
        int r = span_u64(part, &whole);
        if (r < 0)
                return r;
        if (whole > CONFIG_DECIMAL_WHOLE_MAX)
                return -ERANGE;
        *ret_value = (double)whole + (double)fraction / scale;
        return 0;
}

int config_parse_time(const char *text, usec_t *ret_usec)
{
        static const struct {
                const char *suffix;
                usec_t usec;
        } units[] = {
                { "ms", USEC_PER_MSEC },
                { "min", USEC_PER_MINUTE },
                { "s", USEC_PER_SEC },
                { "", USEC_PER_SEC },
        };
        struct span number = span_of(text);
        while (number.length > 0 &&
               (number.at[number.length - 1] >= 'a' && number.at[number.length - 1] <= 'z'))
                number.length--;
        const char *suffix = number.at + number.length;
        while (number.length > 0 && number.at[number.length - 1] == ' ') /* "500 ms" */
                number.length--;
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
                if (strcmp(suffix, units[i].suffix) != 0)
                        continue;
                double value = 0;
                int r = parse_decimal(number, &value);
                if (r < 0)
                        return r;
                value *= (double)units[i].usec;
                if (value > (double)USEC_PER_DAY)
                        return -ERANGE;
                *ret_usec = (usec_t)llround(value);
                return 0;
        }
        return -EINVAL;
}

int config_parse_size(const char *text, uint64_t *ret_bytes)
{
        static const struct {
                const char *suffix;
                double bytes;
        } units[] = {
                { "", 1 },     { "B", 1 },   { "k", 1e3 },  { "K", 1e3 }, { "kB", 1e3 },
                { "KB", 1e3 }, { "M", 1e6 }, { "MB", 1e6 }, { "G", 1e9 }, { "GB", 1e9 },
        };
        struct span number = span_of(text);
        while (number.length > 0 && strchr("kKMGB", number.at[number.length - 1]))
                number.length--;
        const char *suffix = number.at + number.length;
        while (number.length > 0 && number.at[number.length - 1] == ' ') /* "500 M" */
                number.length--;
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
                if (strcmp(suffix, units[i].suffix) != 0)
                        continue;
                double value = 0;
                int r = parse_decimal(number, &value);
                if (r < 0)
                        return r;
                if (value * units[i].bytes > (double)CONFIG_DECIMAL_WHOLE_MAX)
                        return -ERANGE;
                *ret_bytes = (uint64_t)llround(value * units[i].bytes);
                return 0;
        }
        return -EINVAL;
}

static int parse_boolean(const char *value, bool *ret_value)
{
        static const char *const yes[] = { "yes", "true", "on", "1" };
        static const char *const no[] = { "no", "false", "off", "0" };
        for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
                if (strcmp(value, yes[i]) == 0 || strcmp(value, no[i]) == 0) {
                        *ret_value = strcmp(value, yes[i]) == 0;
                        return 0;
                }
        }
        return -EINVAL;
}

/* ---- settings ---- */

static void set_interval(struct parser *parser, const char *key, const char *value, usec_t *interval)
{
        char text[CONFIG_VALUE_SHOWN_MAX];
        usec_t usec;
        int r = config_parse_time(value, &usec);
        if (r == -EINVAL)
                parser_fail(parser, "%s=%s is no time; seconds (5, 0.5) or 500ms are meant", key,
                            shown(value, text));
        else if (r < 0 || usec < INTERVAL_MIN_USEC || usec > INTERVAL_MAX_USEC)
                parser_fail(parser, "%s=%s is out of range: it must be between 50ms and 60s", key,
                            shown(value, text));
        else
                *interval = usec;
}

static void set_keep(struct parser *parser, const char *key, const char *value, usec_t *keep)
{
        char text[CONFIG_VALUE_SHOWN_MAX], sentence[TIME_ERROR_MAX];
        usec_t usec;
        int r = time_grammar_span(value, &usec, sentence);
        if (r == -EINVAL)
                parser_fail(parser, "%s=%s is no time; 30d or 13 months are meant", key, shown(value, text));
        else if (r < 0 || usec < KEEP_MIN_USEC || usec > KEEP_MAX_USEC)
                parser_fail(parser, "%s=%s is out of range: it must be between 1h and 10 years", key,
                            shown(value, text));
        else
                *keep = usec;
}

static void set_keep_summaries(struct parser *parser, const char *key, const char *value)
{
        usec_t *keep = parser->config->limits.keep_usec;
        set_keep(parser, key, value, &keep[SERIES_MINUTE]);
        keep[SERIES_HOUR] = keep[SERIES_MINUTE];
}

static void set_size(struct parser *parser, const char *key, const char *value, uint64_t *size)
{
        char text[CONFIG_VALUE_SHOWN_MAX];
        uint64_t bytes;
        int r = config_parse_size(value, &bytes);
        if (r == -EINVAL)
                parser_fail(parser, "%s=%s is no size; 500M or 2G are meant", key, shown(value, text));
        else if (r < 0 || bytes < SIZE_MIN_BYTES || bytes > SIZE_MAX_BYTES)
                parser_fail(parser, "%s=%s is out of range: it must be between 1M and 1000G", key,
                            shown(value, text));
        else
                *size = bytes;
}

static void set_general(struct parser *parser, const char *key, const char *value)
{
        char text[CONFIG_VALUE_SHOWN_MAX];
        if (strcmp(key, "Interval") == 0)
                set_interval(parser, key, value, &parser->config->interval_usec);
        else if (strcmp(key, "FastInterval") == 0)
                set_interval(parser, key, value, &parser->config->fast_interval_usec);
        else if (strcmp(key, "KeepSamples") == 0)
                set_keep(parser, key, value, &parser->config->limits.keep_usec[SERIES_RAW]);
        else if (strcmp(key, "KeepSummaries") == 0)
                set_keep_summaries(parser, key, value);
        else if (strcmp(key, "MaximumSize") == 0)
                set_size(parser, key, value, &parser->config->limits.size_bytes);
        else
                parser_fail(parser, "unknown setting '%s' in [slowd]", shown(key, text));
}

static int parse_parameter(const struct check_parameter *parameter, const char *value, double *ret_value)
{
        usec_t usec;
        int r = parse_decimal(span_of(value), ret_value);
        if (r != -EINVAL || strcmp(parameter->unit, "seconds") != 0)
                return r;
        r = config_parse_time(value, &usec); /* "2min" */
        if (r == 0)
                *ret_value = (double)usec / (double)USEC_PER_SEC;
        return r;
}

static void set_check(struct parser *parser, size_t index, const char *key, const char *value)
{
        const struct check *check = checks[index];
        char text[CONFIG_VALUE_SHOWN_MAX];
        if (strcmp(key, "Enabled") == 0) {
                if (parse_boolean(value, &parser->config->check_enabled[index]) < 0)
                        parser_fail(parser, "Enabled=%s is neither yes nor no", shown(value, text));
                return;
        }
        for (size_t i = 0; check->parameters[i].key; i++) {
                const struct check_parameter *parameter = &check->parameters[i];
                if (strcmp(key, parameter->key) != 0)
                        continue;
                double number = 0;
                int r = parse_parameter(parameter, value, &number);
                if (r == -EINVAL)
                        parser_fail(parser, "%s=%s is no number (%s are meant)", key, shown(value, text),
                                    parameter->unit);
                else if (r < 0 || number < parameter->minimum || number > parameter->maximum)
                        parser_fail(parser, "%s=%s is out of range: it must be between %g and %g %s", key,
                                    shown(value, text), parameter->minimum, parameter->maximum,
                                    parameter->unit);
                else
                        parser->config->parameters[index][i] = number;
                return;
        }
        parser_fail(parser, "unknown setting '%s' in [check %s]", shown(key, text), check->name);
}

static void set_worker(struct parser *parser, const char *key, const char *value)
{
        static const char *const kinds[] = {
                [WORKER_INDEXER] = "Indexer", [WORKER_MAINTENANCE] = "Maintenance", [WORKER_BACKUP] = "Backup"
        };
        char text[CONFIG_VALUE_SHOWN_MAX];
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
                if (strcmp(key, kinds[i]) != 0)
                        continue;
                int r = workers_add(&parser->config->workers, (enum worker_kind)i, value);
                if (r == -E2BIG)
                        parser_fail(parser, "%s=%s is too long, or there are more than %d workers", key,
                                    shown(value, text), WORKERS_ADDED_MAX);
                else if (r < 0)
                        parser_fail(parser, "%s=%s is no worker; NAME timer=UNIT exclude=FILE is meant", key,
                                    shown(value, text));
                return;
        }
        parser_fail(parser, "unknown setting '%s' in [workers]", shown(key, text));
}

/* The check a section speaks of: its index, -ENOENT. */
static int section_check(const char *section)
{
        size_t prefix = strlen(CONFIG_CHECK_PREFIX);
        if (strncmp(section, CONFIG_CHECK_PREFIX, prefix) != 0)
                return -ENOENT;
        for (int i = 0; checks[i]; i++)
                if (strcmp(checks[i]->name, section + prefix) == 0)
                        return i;
        return -ENOENT;
}

/* ---- libinih ---- */

static int on_setting(void *user, const char *section, const char *key, const char *value)
{
        struct parser *parser = user;
        int check = section_check(section);
        if (section[0] == '\0')
                parser_fail(parser, "a setting before the first section; [slowd] is missing");
        else if (strcmp(section, "slowd") == 0)
                set_general(parser, key, value);
        else if (strcmp(section, "workers") == 0)
                set_worker(parser, key, value);
        else if (check >= 0)
                set_check(parser, (size_t)check, key, value);
        return 1; /* mistakes are kept in parser->error; an unknown section has been reported at its head */
}

/* libinih says nothing about sections without settings, so their names are looked at here. */
static void check_section(struct parser *parser, struct span line)
{
        struct span name;
        line.at++;
        line.length--;
        char section[CONFIG_SECTION_MAX];
        if (!span_take_until(&line, ']', &name))
                return; /* libinih reports it */
        if (!span_copy(name, section, sizeof(section)) ||
            (strcmp(section, "slowd") != 0 && strcmp(section, "workers") != 0 &&
             section_check(section) < 0)) {
                const char *hint = strncmp(section, CONFIG_CHECK_PREFIX, strlen(CONFIG_CHECK_PREFIX)) == 0
                                           ? "there is no check of that name"
                                           : "sections are [slowd], [workers] and [check NAME]";
                parser_fail(parser, "unknown section [%s]; %s", section, hint);
        }
}

/* What libinih calls instead of fgets(). */
static char *next_line(char *buffer, int size, void *stream)
{
        struct parser *parser = stream;
        struct span line;
        if (parser->error[0] || !span_take_line(&parser->rest, &line))
                return NULL;
        parser->line++;
        if (line.length > CONFIG_LINE_MAX || line.length + 2 > (size_t)size)
                parser_fail(parser, "the line is longer than %d bytes", CONFIG_LINE_MAX);
        else if (memchr(line.at, '\0', line.length))
                parser_fail(parser, "this is no text file");
        if (parser->error[0])
                return NULL;
        memcpy(buffer, line.at, line.length);
        buffer[line.length] = '\n';
        buffer[line.length + 1] = '\0';
        while (line.length > 0 && (line.at[0] == ' ' || line.at[0] == '\t')) {
                line.at++;
                line.length--;
        }
        if (line.length > 0 && line.at[0] == '[')
                check_section(parser, line);
        return buffer;
}

int config_parse(const char *name, const char *text, size_t length, struct config *ret_config, char *error,
                 size_t error_size)
{
        struct config config = *ret_config;
        struct parser parser = { .name = name,
                                 .rest = { text, length },
                                 .config = &config,
                                 .error = error,
                                 .error_size = error_size };
        error[0] = '\0';
        ini_allow_multiline = false; /* an indented line is a setting like any other */
        int r = ini_parse_stream(next_line, &parser, on_setting, &parser);
        if (r > 0 && !error[0]) {
                parser.line = (unsigned)r;
                parser_fail(&parser, "neither a [section] nor a Setting=value");
        }
        if (error[0])
                return -EINVAL;
        if (r < 0)
                return -ENOMEM;
        *ret_config = config;
        return 0;
}

/* ---- files ---- */

static int read_file(const char *path, bool may_be_missing, struct config *config, char *error,
                     size_t error_size)
{
        CLEANUP_FREE char *text = malloc(CONFIG_FILE_MAX);
        if (!text)
                return -ENOMEM;
        ssize_t length = root_read_at(AT_FDCWD, path, text, CONFIG_FILE_MAX);
        if (length == -ENOENT && may_be_missing)
                return 0;
        if (length < 0) {
                text_format(error, error_size, "%s: %s", path, strerror((int)-length));
                text_sanitize(error, "");
                return (int)length;
        }
        return config_parse(path, text, (size_t)length, config, error, error_size);
}

static int is_drop_in(const struct dirent *entry)
{
        size_t length = strlen(entry->d_name);
        return entry->d_name[0] != '.' && length > 5 && strcmp(entry->d_name + length - 5, ".conf") == 0;
}

static int read_drop_ins(const char *path, struct config *config, char *error, size_t error_size)
{
        char directory[CONFIG_PATH_MAX];
        text_format(directory, sizeof(directory), "%s.d", path);
        struct dirent **entries;
        int count = scandir(directory, &entries, is_drop_in, alphasort);
        if (count < 0) {
                if (errno == ENOENT || errno == ENOTDIR)
                        return 0;
                int r = -errno;
                text_format(error, error_size, "%s: %s", directory, strerror(-r));
                return r;
        }
        int r = 0;
        if (count > CONFIG_DROP_INS_MAX) {
                text_format(error, error_size, "%s: more than %d files", directory, CONFIG_DROP_INS_MAX);
                r = -E2BIG;
        }
        for (int i = 0; i < count; i++) {
                char name[CONFIG_PATH_MAX + NAME_MAX + 2];
                text_format(name, sizeof(name), "%s/%s", directory, entries[i]->d_name);
                if (r == 0)
                        r = read_file(name, true, config, error, error_size);
                free(entries[i]);
        }
        free(entries);
        return r;
}

void config_defaults(struct config *ret_config)
{
        *ret_config = (struct config){ .interval_usec = INTERVAL_DEFAULT_USEC,
                                       .fast_interval_usec = FAST_DEFAULT_USEC,
                                       .limits = { .keep_usec = { [SERIES_RAW] = KEEP_SAMPLES_DEFAULT,
                                                                  [SERIES_MINUTE] = KEEP_SUMMARIES_DEFAULT,
                                                                  [SERIES_HOUR] = KEEP_SUMMARIES_DEFAULT },
                                                   .size_bytes = SIZE_DEFAULT_BYTES } };
        for (size_t i = 0; checks[i]; i++) {
                ret_config->check_enabled[i] = true;
                for (size_t j = 0; checks[i]->parameters[j].key; j++)
                        ret_config->parameters[i][j] = checks[i]->parameters[j].default_value;
        }
}

int config_read(const char *path, bool may_be_missing, struct config *ret_config, char *error,
                size_t error_size)
{
        struct config config;
        config_defaults(&config);
        error[0] = '\0';
        if (strlen(path) + 3 > CONFIG_PATH_MAX) {
                text_format(error, error_size, "the configuration file's path is too long");
                return -ENAMETOOLONG;
        }
        int r = read_file(path, may_be_missing, &config, error, error_size);
        if (r == 0)
                r = read_drop_ins(path, &config, error, error_size);
        if (r < 0) {
                if (!error[0])
                        text_format(error, error_size, "%s: %s", path, strerror(-r));
                return r;
        }
        if (config.fast_interval_usec > config.interval_usec)
                config.fast_interval_usec = config.interval_usec;
        *ret_config = config;
        return 0;
}
