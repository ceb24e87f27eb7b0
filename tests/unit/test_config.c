/* slowd.conf: each mistake gets a sentence with its line; then what good files mean. */
#include "daemon/config.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/text.h"

#define ERROR_MAX 512

static int parse(const char *text, struct config *config, char error[static ERROR_MAX])
{
        config_defaults(config);
        return config_parse("slowd.conf", text, strlen(text), config, error, ERROR_MAX);
}

static void test_mistakes(void **state)
{
        (void)state;
        static const struct {
                const char *text, *says;
        } cases[] = {
                { "x", "slowd.conf:1: neither a [section] nor a Setting=value" },
                { "[slowd", "slowd.conf:1: neither" },
                { "[slowd]\nInterval", "slowd.conf:2: neither" },
                { "[slowd]\n\n# comment\nFoo=1\n", "slowd.conf:4: unknown setting 'Foo' in [slowd]" },
                { "[slowd]\ninterval=5\n", "slowd.conf:2: unknown setting 'interval'" },
                { "Interval=5\n", "slowd.conf:1: a setting before the first section" },
                { "[Slowd]\n", "slowd.conf:1: unknown section [Slowd]" },
                { "[]\n", "slowd.conf:1: unknown section []" },
                { "[check]\n", "slowd.conf:1: unknown section [check]" },
                { "[check ]\n", "slowd.conf:1: unknown section [check ]; there is no check of that name" },
                { "[check no.such]\nEnabled=yes\n",
                  "slowd.conf:1: unknown section [check no.such]; there is no" },
                { "[slowd]\nInterval=\n", "slowd.conf:2: Interval= is no time" },
                { "[slowd]\nInterval=five\n", "slowd.conf:2: Interval=five is no time" },
                { "[slowd]\nInterval=-5\n", "slowd.conf:2: Interval=-5 is no time" },
                { "[slowd]\nInterval=5 parsecs\n", "slowd.conf:2: Interval=5 parsecs is no time" },
                { "[slowd]\nInterval=1e1\n", "slowd.conf:2: Interval=1e1 is no time" },
                { "[slowd]\nInterval=0x5\n", "slowd.conf:2: Interval=0x5 is no time" },
                { "[slowd]\nInterval=5.\n", "slowd.conf:2: Interval=5. is no time" },
                { "[slowd]\nInterval=.5\n", "slowd.conf:2: Interval=.5 is no time" },
                { "[slowd]\nInterval=0\n", "slowd.conf:2: Interval=0 is out of range" },
                { "[slowd]\nInterval=49ms\n", "slowd.conf:2: Interval=49ms is out of range" },
                { "[slowd]\nInterval=61\n", "slowd.conf:2: Interval=61 is out of range" },
                { "[slowd]\nInterval=99999999999999999999999\n", "is out of range" },
                { "[workers]\nFoo=x\n", "slowd.conf:2: unknown setting 'Foo' in [workers]" },
                { "[workers]\nBackup=\n", "slowd.conf:2: Backup= is no worker; NAME timer=UNIT" },
                { "[workers]\nBackup=timer=x.timer\n", "slowd.conf:2: Backup=timer=x.timer is no worker" },
                { "[workers]\nBackup=x when=never\n", "slowd.conf:2: Backup=x when=never is no worker" },
                { "[workers]\nIndexer=x timer=\n", "slowd.conf:2: Indexer=x timer= is no worker" },
                { "[workers]\nIndexer=abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz\n",
                  "is too long, or there are more than 16 workers" },
                { "[slowd]\nFastInterval=x\n", "slowd.conf:2: FastInterval=x is no time" },
                { "[slowd]\nKeepSamples=\n", "slowd.conf:2: KeepSamples= is no time" },
                { "[slowd]\nKeepSamples=long\n", "slowd.conf:2: KeepSamples=long is no time" },
                { "[slowd]\nKeepSamples=59min\n", "slowd.conf:2: KeepSamples=59min is out of range" },
                { "[slowd]\nKeepSummaries=11 years\n",
                  "slowd.conf:2: KeepSummaries=11 years is out of range" },
                { "[slowd]\nMaximumSize=\n", "slowd.conf:2: MaximumSize= is no size" },
                { "[slowd]\nMaximumSize=M\n", "slowd.conf:2: MaximumSize=M is no size" },
                { "[slowd]\nMaximumSize=-5M\n", "slowd.conf:2: MaximumSize=-5M is no size" },
                { "[slowd]\nMaximumSize=5T\n", "slowd.conf:2: MaximumSize=5T is no size" },
                { "[slowd]\nMaximumSize=5MG\n", "slowd.conf:2: MaximumSize=5MG is no size" },
                { "[slowd]\nMaximumSize=999k\n", "slowd.conf:2: MaximumSize=999k is out of range" },
                { "[slowd]\nMaximumSize=1001G\n", "slowd.conf:2: MaximumSize=1001G is out of range" },
                { "[slowd]\nMaximumSize=999999999999G\n", "is out of range" },
                { "[check cpu.overload]\nEnabled=2\n", "slowd.conf:2: Enabled=2 is neither yes nor no" },
                { "[check cpu.overload]\nNoSuch=2\n",
                  "slowd.conf:2: unknown setting 'NoSuch' in [check cpu.overload]" },
                { "[slowd]\nInterval=5\n[slow]\nInterval=x\n",
                  "slowd.conf:3: unknown section" },                                  /* the first */
                { "[slowd]\n\033[31m=1\n", "slowd.conf:2: unknown setting '?[31m'" }, /* no terminal codes */
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct config config, before;
                char error[ERROR_MAX];
                config_defaults(&before);
                assert_int_equal(parse(cases[i].text, &config, error), -EINVAL);
                if (!strstr(error, cases[i].says))
                        fail_msg("%s: %s", cases[i].text, error);
                assert_memory_equal(&config, &before, sizeof(config)); /* nothing of a bad file is taken */
        }
}

static void test_long_lines_and_binary(void **state)
{
        (void)state;
        struct config config;
        char error[ERROR_MAX], text[4096];
        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        assert_int_equal(parse(text, &config, error), -EINVAL);
        assert_non_null(strstr(error, "slowd.conf:1: the line is longer than"));
        /* one that libinih would split into a harmless half and another setting */
        size_t length = 0;
        (void)text_append(text, sizeof(text), &length, "[slowd]\n#%190s", "");
        (void)text_append(text, sizeof(text), &length, "          Interval=7\n");
        assert_int_equal(parse(text, &config, error), -EINVAL);
        config_defaults(&config);
        assert_int_equal(config_parse("f", "[slowd]\nInt\0erval=5\n", 20, &config, error, sizeof(error)),
                         -EINVAL);
        assert_string_equal(error, "f:2: this is no text file");
}

static void test_good(void **state)
{
        (void)state;
        struct config config;
        char error[ERROR_MAX];
        assert_int_equal(parse("", &config, error), 0);
        assert_int_equal(config.interval_usec, 5 * USEC_PER_SEC);
        assert_int_equal(config.fast_interval_usec, 1 * USEC_PER_SEC);
        assert_int_equal(
                parse("\n; a comment\n# another\n[slowd]\n\t Interval = 500 ms ; why\nFastInterval=0.25",
                      &config, error),
                0);
        assert_int_equal(config.interval_usec, 500000);
        assert_int_equal(config.fast_interval_usec, 250000);
        assert_int_equal(parse("[slowd]\nInterval=3\nInterval=4\n", &config, error),
                         0); /* the last one wins */
        assert_int_equal(config.interval_usec, 4 * USEC_PER_SEC);
        assert_string_equal(error, "");
}

static void test_every_parameter_of_every_check(void **state)
{
        (void)state;
        for (size_t i = 0; checks[i]; i++) {
                const struct check *check = checks[i];
                for (size_t j = 0; check->parameters[j].key; j++) {
                        const struct check_parameter *p = &check->parameters[j];
                        struct config config;
                        char error[ERROR_MAX], text[256];
                        text_format(text, sizeof(text), "[check %s]\n%s=%.0f\n", check->name, p->key,
                                    ceil(p->minimum));
                        assert_int_equal(parse(text, &config, error), 0);
                        assert_true(config.parameters[i][j] == ceil(p->minimum));
                        text_format(text, sizeof(text), "[check %s]\n%s=%.0f\n", check->name, p->key,
                                    floor(p->maximum) + 1);
                        assert_int_equal(parse(text, &config, error), -EINVAL);
                        assert_non_null(strstr(error, "slowd.conf:2: "));
                        assert_non_null(strstr(error, "out of range"));
                        assert_true(p->default_value >= p->minimum && p->default_value <= p->maximum);
                }
                struct config config;
                char error[ERROR_MAX], text[128];
                text_format(text, sizeof(text), "[check %s]\nEnabled=no\n", check->name);
                assert_int_equal(parse(text, &config, error), 0);
                for (size_t k = 0; checks[k]; k++)
                        assert_int_equal(config.check_enabled[k], k != i);
        }
}

static void test_times(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                int result;
                usec_t usec;
        } cases[] = {
                { "", -EINVAL, 0 },
                { "s", -EINVAL, 0 },
                { "5 5", -EINVAL, 0 },
                { "5h", -EINVAL, 0 },
                { "+5", -EINVAL, 0 },
                { "1.2.3", -EINVAL, 0 },
                { "inf", -EINVAL, 0 },
                { "5S", -EINVAL, 0 },
                { "86401", -ERANGE, 0 },
                { "1441min", -ERANGE, 0 },
                { "0.0000000001", -ERANGE, 0 },
                { "5", 0, 5000000 },
                { "0.2", 0, 200000 },
                { "500ms", 0, 500000 },
                { "2min", 0, 120000000 },
                { "1.5s", 0, 1500000 },
                { "0", 0, 0 },
                { "5 s", 0, 5000000 },
                { "86400", 0, 86400000000 },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                usec_t usec = 0;
                int r = config_parse_time(cases[i].text, &usec);
                if (r != cases[i].result || usec != cases[i].usec)
                        fail_msg("'%s': %d", cases[i].text, r);
        }
}

static void write_file(const char *directory, const char *name, const char *text)
{
        char path[256];
        text_format(path, sizeof(path), "%s/%s", directory, name);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

static void test_files_and_drop_ins(void **state)
{
        (void)state;
        char directory[] = "/tmp/slowd-test-config-XXXXXX", path[128], drop_ins[160], error[ERROR_MAX];
        struct config config;
        assert_non_null(mkdtemp(directory));
        text_format(path, sizeof(path), "%s/slowd.conf", directory);
        text_format(drop_ins, sizeof(drop_ins), "%s.d", path);

        assert_int_equal(config_read(path, false, &config, error, sizeof(error)), -ENOENT);
        assert_non_null(strstr(error, path));
        assert_non_null(strstr(error, "No such file"));
        assert_int_equal(config_read(path, true, &config, error, sizeof(error)), 0);
        assert_int_equal(config.interval_usec, 5 * USEC_PER_SEC);
        assert_int_equal(config_read(directory, false, &config, error, sizeof(error)), -EISDIR);

        assert_int_equal(mkdir(drop_ins, 0700), 0);
        write_file(drop_ins, "20-b.conf", "[slowd]\nInterval=3\n");
        write_file(drop_ins, "10-a.conf", "[slowd]\nInterval=2\nFastInterval=20\n");
        write_file(drop_ins, "30-c.conf.bak", "garbage");
        write_file(drop_ins, ".hidden.conf", "garbage");
        assert_int_equal(config_read(path, true, &config, error, sizeof(error)),
                         0); /* without the file too */
        assert_int_equal(config.interval_usec, 3 * USEC_PER_SEC);
        assert_int_equal(config.fast_interval_usec, 3 * USEC_PER_SEC); /* never longer */
        write_file(directory, "slowd.conf", "[slowd]\nInterval=9\n");
        assert_int_equal(config_read(path, false, &config, error, sizeof(error)), 0);
        assert_int_equal(config.interval_usec, 3 * USEC_PER_SEC);
        write_file(drop_ins, "10-a.conf", "garbage");
        assert_int_equal(config_read(path, false, &config, error, sizeof(error)), -EINVAL);
        assert_non_null(strstr(error, "slowd.conf.d/10-a.conf:1: "));

        char command[256];
        text_format(command, sizeof(command), "rm -r %s", directory);
        assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a directory of our own */
}

static void test_workers(void **state)
{
        (void)state;
        struct config config;
        char error[ERROR_MAX];
        static const char text[] =
                "[workers]\nIndexer=crawl.py exclude=/etc/crawl.conf\n"
                "Backup=nightly timer=nightly.timer\nBackup=weekly\nMaintenance=scrubber\n";
        assert_int_equal(parse(text, &config, error), 0);
        assert_int_equal(config.workers.count, 4);
        assert_string_equal(config.workers.list[0].process, "crawl.py");
        assert_int_equal(config.workers.list[0].kind, WORKER_INDEXER);
        assert_string_equal(config.workers.list[0].exclude, "/etc/crawl.conf");
        assert_string_equal(config.workers.list[1].timer, "nightly.timer");
        assert_int_equal(config.workers.list[2].kind, WORKER_BACKUP);
        assert_int_equal(config.workers.list[3].kind, WORKER_MAINTENANCE);
}

static void test_what_is_kept(void **state)
{
        (void)state;
        struct config config;
        char error[ERROR_MAX];
        config_defaults(&config);
        assert_true(config.limits.keep_usec[SERIES_RAW] == 30 * USEC_PER_DAY);
        assert_true(config.limits.keep_usec[SERIES_HOUR] == 396 * USEC_PER_DAY);
        assert_true(config.limits.size_bytes == 500000000);
        static const char text[] = "[slowd]\nKeepSamples=1w 12h\nKeepSummaries=2 years\nMaximumSize=1.5G\n";
        assert_int_equal(parse(text, &config, error), 0);
        assert_true(config.limits.keep_usec[SERIES_RAW] == 7 * USEC_PER_DAY + 12 * USEC_PER_HOUR);
        assert_true(config.limits.keep_usec[SERIES_MINUTE] == 2 * (365 * USEC_PER_DAY + 6 * USEC_PER_HOUR));
        assert_true(config.limits.keep_usec[SERIES_HOUR] == config.limits.keep_usec[SERIES_MINUTE]);
        assert_true(config.limits.size_bytes == 1500000000);
        static const struct {
                const char *text;
                uint64_t bytes;
        } sizes[] = { { "0", 0 },
                      { "2000000", 2000000 },
                      { "500M", 500000000 },
                      { "500 MB", 500000000 },
                      { "800kB", 800000 },
                      { "1G", 1000000000 },
                      { "7B", 7 } };
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                uint64_t bytes = 1;
                assert_int_equal(config_parse_size(sizes[i].text, &bytes), 0);
                assert_true(bytes == sizes[i].bytes);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_mistakes),     cmocka_unit_test(test_long_lines_and_binary),
                cmocka_unit_test(test_good),         cmocka_unit_test(test_every_parameter_of_every_check),
                cmocka_unit_test(test_times),        cmocka_unit_test(test_files_and_drop_ins),
                cmocka_unit_test(test_what_is_kept), cmocka_unit_test(test_workers),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
