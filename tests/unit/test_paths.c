/* Default places, by environment and user. */
#include "daemon/paths.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/text.h"

#define SOMEBODY 54321 /* no user of any machine that runs this */

static int clear_environment(void **state)
{
        (void)state;
        static const char *const names[] = { "RUNTIME_DIRECTORY", "STATE_DIRECTORY", "XDG_RUNTIME_DIR",
                                             "XDG_STATE_HOME" };
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                (void)unsetenv(names[i]);
        (void)setenv("HOME", "/home/somebody", 1);
        return 0;
}

static void test_root(void **state)
{
        (void)state;
        struct paths paths = { 0 };
        char error[256];
        (void)setenv("XDG_RUNTIME_DIR", "/run/user/0", 1); /* sudo in a session: still the system's */
        assert_int_equal(paths_default_socket(0, &paths, error, sizeof(error)), 0);
        paths_default_state(0, &paths);
        assert_string_equal(paths.socket, "/run/slowd/io.slowd.Diagnostics");
        assert_string_equal(paths.state, "/var/lib/slowd");
        assert_true(paths.may_create_directory);
}

static void test_service(void **state)
{
        (void)state;
        struct paths paths = { 0 };
        char error[256];
        (void)setenv("RUNTIME_DIRECTORY", "/run/slowd:/run/other", 1);
        (void)setenv("STATE_DIRECTORY", "/var/lib/slowd", 1);
        assert_int_equal(paths_default_socket(SOMEBODY, &paths, error, sizeof(error)), 0);
        paths_default_state(SOMEBODY, &paths);
        assert_string_equal(paths.socket, "/run/slowd/io.slowd.Diagnostics");
        assert_string_equal(paths.state, "/var/lib/slowd");
        assert_false(paths.may_create_directory); /* the manager's to make */
}

static void test_user(void **state)
{
        (void)state;
        struct paths paths = { 0 };
        char error[256];
        (void)setenv("XDG_RUNTIME_DIR", "/run/user/54321", 1);
        assert_int_equal(paths_default_socket(SOMEBODY, &paths, error, sizeof(error)), 0);
        paths_default_state(SOMEBODY, &paths);
        assert_string_equal(paths.socket, "/run/user/54321/slowd/io.slowd.Diagnostics");
        assert_string_equal(paths.state, "/home/somebody/.local/state/slowd");
        assert_true(paths.may_create_directory);
        (void)setenv("XDG_STATE_HOME", "/elsewhere", 1);
        paths_default_state(SOMEBODY, &paths);
        assert_string_equal(paths.state, "/elsewhere/slowd");
        (void)setenv("XDG_STATE_HOME", "relative", 1); /* not allowed by the specification: as if unset */
        paths_default_state(SOMEBODY, &paths);
        assert_string_equal(paths.state, "/home/somebody/.local/state/slowd");
}

static void test_temporary_directory(void **state)
{
        (void)state;
        struct paths paths = { 0 };
        char error[256], directory[64];
        uid_t uid = geteuid() == 0 ? 60000U + (uid_t)getpid() % 1000 : geteuid();
        if (geteuid() != 0) {
                print_message(
                        "skipped: not root, so the directory may be in use by a slowd of this user's\n");
                skip();
        }
        text_format(directory, sizeof(directory), "/tmp/slowd-%u", (unsigned)uid);
        (void)rmdir(directory);
        /* what is there belongs to somebody else */
        assert_int_equal(mkdir(directory, 0700), 0);
        assert_int_equal(paths_default_socket(uid, &paths, error, sizeof(error)), -EPERM);
        assert_non_null(strstr(error, directory));
        /* others may look into it */
        assert_int_equal(chown(directory, uid, (gid_t)-1), 0);
        assert_int_equal(chmod(directory, 0750), 0);
        assert_int_equal(paths_default_socket(uid, &paths, error, sizeof(error)), -EPERM);
        assert_int_equal(chmod(directory, 0700), 0);
        assert_int_equal(paths_default_socket(uid, &paths, error, sizeof(error)), 0);
        assert_int_equal(rmdir(directory), 0);
        /* a link to a directory that would do */
        char target[] = "/tmp/slowd-test-paths-XXXXXX";
        assert_non_null(mkdtemp(target));
        assert_int_equal(chown(target, uid, (gid_t)-1), 0);
        assert_int_equal(symlink(target, directory), 0);
        assert_int_equal(paths_default_socket(uid, &paths, error, sizeof(error)), -EPERM);
        assert_int_equal(unlink(directory), 0);
        assert_int_equal(rmdir(target), 0);
}

static void test_by_hand(void **state)
{
        (void)state;
        struct paths paths = { 0 };
        char error[256], path[200];
        memset(path, 'x', sizeof(path) - 1);
        path[sizeof(path) - 1] = '\0';
        assert_int_equal(paths_set_socket(&paths, path, error, sizeof(error)), -ENAMETOOLONG);
        assert_int_equal(paths_set_socket(&paths, "/run/user/1/slowd/s", error, sizeof(error)), 0);
        assert_false(paths.may_create_directory);
        (void)setenv("XDG_RUNTIME_DIR", "/run/user/1/", 1);
        assert_int_equal(paths_set_socket(&paths, "/run/user/1/slowd/s", error, sizeof(error)), 0);
        assert_true(paths.may_create_directory);
        assert_int_equal(paths_set_socket(&paths, "/run/user/11/slowd/s", error, sizeof(error)), 0);
        assert_false(paths.may_create_directory);
}

static void test_state_directory(void **state)
{
        (void)state;
        char directory[] = "/tmp/slowd-test-paths-XXXXXX", path[128];
        struct stat status;
        assert_non_null(mkdtemp(directory));
        text_format(path, sizeof(path), "%s/a/b", directory);
        assert_int_equal(paths_prepare_state(path), -ENOENT);
        text_format(path, sizeof(path), "%s/a", directory);
        assert_int_equal(paths_prepare_state(path), 0);
        assert_int_equal(paths_prepare_state(path), 0);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 07, 0); /* others do not look into it */
        assert_int_equal(rmdir(path), 0);
        assert_int_equal(rmdir(directory), 0);
        assert_int_equal(paths_prepare_state("/dev/null"), -ENOTDIR);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_root, clear_environment),
                cmocka_unit_test_setup(test_service, clear_environment),
                cmocka_unit_test_setup(test_user, clear_environment),
                cmocka_unit_test_setup(test_temporary_directory, clear_environment),
                cmocka_unit_test_setup(test_by_hand, clear_environment),
                cmocka_unit_test_setup(test_state_directory, clear_environment),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
