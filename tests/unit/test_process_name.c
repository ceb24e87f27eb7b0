/* What people call a program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/sample/process_name.h"

struct expectation {
        const char *comm, *exe;
        struct span arguments;
        const char *name, *script;
};

/* The literal's NULs part the arguments. */
#define ARGUMENTS(literal) SPAN(literal "\0")

static void check(const struct expectation *expected, size_t count, bool is_kernel_thread)
{
        for (size_t i = 0; i < count; i++) {
                const struct expectation *e = &expected[i];
                const struct process_name_source source = { .comm = span_of(e->comm),
                                                            .exe = span_of(e->exe),
                                                            .arguments = e->arguments,
                                                            .is_kernel_thread = is_kernel_thread };
                char name[PROGRAM_NAME_MAX], script[256];
                struct span given;
                process_name(&source, name, &given);
                (void)span_copy(given, script, sizeof(script));
                assert_string_equal(name, e->name);
                assert_string_equal(script, e->script ? e->script : "");
        }
}
#define CHECK(list, is_kernel_thread) check(list, sizeof(list) / sizeof((list)[0]), is_kernel_thread)

static void bad_input_gives_a_name_all_the_same(void **state)
{
        static const struct expectation list[] = {
                { "", "", { "", 0 }, "", NULL },
                { "x", "", { "", 0 }, "x", NULL },
                { "", "/usr/bin/nginx", { "", 0 }, "nginx", NULL },
                { "python3", "/usr/bin/python3.11", { "", 0 }, "python3", NULL },
                { "bash", "/bin/bash", ARGUMENTS("bash\0"), "bash", NULL },
                { "bash", "/bin/bash", SPAN("bash\0-x"), "bash", NULL },
                { "python3", "/usr/bin/python3", ARGUMENTS("python3\0-m"), "python3", NULL },
                { "java", "/usr/bin/java", ARGUMENTS("java\0-cp"), "java", NULL },
                { "e\033vil\n", "/tmp/e\033vil\n", { "", 0 }, "e?vil?", NULL },
                { "x", "/", { "", 0 }, "/", NULL },
        };
        (void)state;
        CHECK(list, false);
}

static void plain_programs(void **state)
{
        static const struct expectation list[] = {
                { "nginx", "/usr/sbin/nginx", ARGUMENTS("nginx: worker process"), "nginx", NULL },
                { "ffmpeg", "/usr/bin/ffmpeg (deleted)", ARGUMENTS("ffmpeg\0-i\0x"), "ffmpeg", NULL },
                { "Web Content", "/usr/lib/firefox/firefox-bin", ARGUMENTS("firefox-bin"), "firefox-bin",
                  NULL },
                { "php-fpm8.2", "/usr/sbin/php-fpm8.2", ARGUMENTS("php-fpm: pool www"), "php-fpm8.2", NULL },
                { "shfmt", "/usr/bin/shfmt", ARGUMENTS("shfmt\0a.sh"), "shfmt", NULL },
                { "systemd-udevd", "/usr/bin/udevadm", ARGUMENTS("/lib/systemd/systemd-udevd"),
                  "systemd-udevd", NULL },
                { "httpd", "/bin/busybox", ARGUMENTS("httpd\0-f"), "httpd", NULL },
                { "sh", "/bin/busybox", ARGUMENTS("sh\0/etc/backup.sh"), "backup.sh", "/etc/backup.sh" },
                { "mysqld", "", { "", 0 }, "mysqld", NULL },
                { "python3", "", ARGUMENTS("python3\0/srv/manage.py"), "manage.py", "/srv/manage.py" },
                { "deploy.sh", "", ARGUMENTS("/bin/sh\0/src/deploy.sh"), "deploy.sh", "/src/deploy.sh" },
        };
        (void)state;
        CHECK(list, false);
}

static void interpreters_are_called_like_their_script(void **state)
{
        static const struct expectation list[] = {
                { "deploy.sh", "/usr/bin/bash", ARGUMENTS("/bin/bash\0./deploy.sh\0now"), "deploy.sh",
                  "./deploy.sh" },
                { "bash", "/usr/bin/bash", ARGUMENTS("bash\0-eu\0/src/deploy.sh"), "deploy.sh",
                  "/src/deploy.sh" },
                { "bash", "/usr/bin/bash", ARGUMENTS("bash\0-o\0pipefail\0/src/d.sh"), "d.sh", "/src/d.sh" },
                { "bash", "/usr/bin/bash", ARGUMENTS("bash\0--rcfile\0/x\0-i"), "bash", NULL },
                { "bash", "/usr/bin/bash", ARGUMENTS("-bash"), "bash", NULL },
                { "bash", "/usr/bin/bash", ARGUMENTS("bash\0/dev/fd/63"), "bash", NULL },
                { "sh", "/usr/bin/dash", ARGUMENTS("/bin/sh\0-c\0/src/deploy.sh"), "sh", NULL },
                { "sh", "/usr/bin/dash", ARGUMENTS("sh\0-ec\0x"), "sh", NULL },
                { "sh", "/usr/bin/dash", ARGUMENTS("sh\0--\0-odd.sh"), "-odd.sh", "-odd.sh" },
                /* comm holds 15 bytes of it */
                { "a-very-long-scr", "/usr/bin/bash", ARGUMENTS("/bin/bash\0/a-very-long-script.sh"),
                  "a-very-long-script.sh", "/a-very-long-script.sh" },
                { "python3", "/usr/bin/python3.11", ARGUMENTS("python3\0-u\0manage.py\0run"), "manage.py",
                  "manage.py" },
                { "python3", "/usr/bin/python3.11", ARGUMENTS("python3\0-m\0http.server"), "http.server",
                  NULL },
                { "python3", "/usr/bin/python3.11", ARGUMENTS("python3\0-Im\0http.server"), "http.server",
                  NULL },
                { "python3", "/usr/bin/python3.11", ARGUMENTS("python3\0-c\0import x"), "python3", NULL },
                { "python3", "/usr/bin/python3.11", ARGUMENTS("python3\0-W\0ignore\0-Xdev\0a.py"), "a.py",
                  "a.py" },
                { "python3", "/usr/bin/python3.11", ARGUMENTS("python3\0/srv/app/__main__.py"), "app",
                  "/srv/app/__main__.py" },
                { "firewalld", "/usr/bin/python3.11", ARGUMENTS("/usr/bin/python3\0-s\0/usr/sbin/firewalld"),
                  "firewalld", "/usr/sbin/firewalld" },
                /* a name that the process gave itself */
                { "gunicorn", "/usr/bin/python3.11", ARGUMENTS("python3\0/usr/bin/run-wsgi"), "gunicorn",
                  "/usr/bin/run-wsgi" },
                { "perl", "/usr/bin/perl", ARGUMENTS("perl\0-w\0-Ilib\0-Mre\0job.pl"), "job.pl", "job.pl" },
                { "perl", "/usr/bin/perl", ARGUMENTS("perl\0-ne\0print"), "perl", NULL },
                { "ruby", "/usr/bin/ruby3.1", ARGUMENTS("ruby\0-I\0lib\0bin/rails\0s"), "rails",
                  "bin/rails" },
                { "MainThread", "/usr/bin/node", ARGUMENTS("node\0--require\0./x.js\0--inspect\0server.js"),
                  "server.js", "server.js" },
                { "node", "/usr/bin/node", ARGUMENTS("node\0-e\0x()"), "node", NULL },
                { "php", "/usr/bin/php8.2", ARGUMENTS("php\0-d\0a=b\0-f\0cron.php"), "cron.php", "cron.php" },
                { "java", "/usr/lib/jvm/bin/java",
                  ARGUMENTS("java\0-Xmx1g\0-cp\0/a:/b\0org.example.Server\0x"), "org.example.Server", NULL },
                { "java", "/usr/lib/jvm/bin/java", ARGUMENTS("java\0-jar\0/opt/app.jar"), "app.jar", NULL },
        };
        (void)state;
        CHECK(list, false);
}

static void kernel_threads_lose_their_numbers(void **state)
{
        static const struct expectation list[] = {
                { "kworker/u8:2-ext4-rsv-conversion", "", { "", 0 }, "kworker", NULL },
                { "ksoftirqd/0", "", { "", 0 }, "ksoftirqd", NULL },
                { "kswapd0", "", { "", 0 }, "kswapd", NULL },
                { "jbd2/vda1-8", "", { "", 0 }, "jbd2", NULL },
                { "scsi_eh_0", "", { "", 0 }, "scsi_eh", NULL },
                { "kdamond.0", "", { "", 0 }, "kdamond", NULL },
                { "khugepaged", "", { "", 0 }, "khugepaged", NULL },
                { "0", "", { "", 0 }, "0", NULL },
                { "/", "", { "", 0 }, "/", NULL },
        };
        (void)state;
        CHECK(list, true);
}

static void command_lines_are_joined_and_cut(void **state)
{
        char text[COMMAND_LINE_MAX], big[COMMAND_LINE_MAX * 2];
        (void)state;
        process_command_line(SPAN(""), text);
        assert_string_equal(text, "");
        process_command_line(SPAN("\0\0\0"), text);
        assert_string_equal(text, "");
        process_command_line(SPAN("a\0b c\0\0d\0"), text);
        assert_string_equal(text, "a b c  d");
        process_command_line(SPAN("a\033[31m\0\xff"), text);
        assert_string_equal(text, "a?[31m ?");

        memset(big, 'x', sizeof(big));
        process_command_line((struct span){ big, COMMAND_LINE_MAX - 1 }, text);
        assert_int_equal(strlen(text), COMMAND_LINE_MAX - 1);
        assert_null(strstr(text, "…"));
        process_command_line((struct span){ big, COMMAND_LINE_MAX }, text);
        assert_int_equal(strlen(text), COMMAND_LINE_MAX - 1);
        assert_string_equal(text + COMMAND_LINE_MAX - 4, "…");
        memset(big, 0xac, sizeof(big)); /* no character at all: the text is not lost for it */
        process_command_line((struct span){ big, sizeof(big) }, text);
        assert_true(strlen(text) > COMMAND_LINE_MAX - 10);
        /* Never within a character: "é" is two bytes, so one of two offsets falls into one. */
        for (size_t shift = 0; shift < 2; shift++) {
                memset(big, 'x', shift);
                for (size_t i = shift; i < sizeof(big); i++)
                        big[i] = "é"[(i - shift) % 2];
                process_command_line((struct span){ big, sizeof(big) }, text);
                assert_null(strchr(text, '?'));
                assert_string_equal(text + strlen(text) - 3, "…");
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(bad_input_gives_a_name_all_the_same),
                cmocka_unit_test(plain_programs),
                cmocka_unit_test(interpreters_are_called_like_their_script),
                cmocka_unit_test(kernel_threads_lose_their_numbers),
                cmocka_unit_test(command_lines_are_joined_and_cut),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
