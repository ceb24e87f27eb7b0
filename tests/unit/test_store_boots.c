/* Boots in a history file: kept for long, each once, and read back to be compared with. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/history/boot_codec.h"
#include "daemon/history/boots_load.h"
#include "daemon/history/export.h"
#include "daemon/history/store.h"
#include "daemon/history/store_read.h"
#include "daemon/history/store_sql.h"
#include "tests/support/boots.h"
#include "tests/support/scratch.h"
#include "tests/support/synthetic.h"

static const char *directory;
static char path[4096];
static struct clock_reading fake_now = { 1732284842000000, 1000000, 1000000 };

static void read_fake_clock(void *userdata, struct clock_reading *ret_now)
{
        (void)userdata;
        *ret_now = fake_now;
}
static const struct clock fake_clock = { .read = read_fake_clock };

static int set_up(void **state)
{
        (void)state;
        directory = scratch_make();
        (void)snprintf(path, sizeof(path), "%s/" STORE_FILE_NAME, directory);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        scratch_remove(directory);
        return 0;
}

static struct store *start(void)
{
        struct store_options options;
        struct store *store;
        store_default_options(path, &fake_clock, &options);
        assert_int_equal(store_new(&options, &store), 0);
        return store;
}

/* A machine that hands in a boot with each of its samples. */
struct machine_of_boots {
        struct synthetic *synthetic;
        struct sample samples[2];
        unsigned turn;
};

static void begin(struct machine_of_boots *machine)
{
        const struct synthetic_options options = { .processes = 4, .cpus = 1, .seed = 7 };
        *machine = (struct machine_of_boots){ .synthetic = synthetic_new(&options) };
}

static usec_t hand_in(struct machine_of_boots *machine, struct store *store, const struct boot *boot)
{
        struct sample *sample = &machine->samples[machine->turn ^= 1];
        synthetic_step(machine->synthetic, 5 * USEC_PER_SEC, sample);
        sample->boot = boot;
        store_append(store, sample);
        return sample->time.realtime_usec;
}

static void end(struct machine_of_boots *machine)
{
        synthetic_sample_done(&machine->samples[0]);
        synthetic_sample_done(&machine->samples[1]);
        (void)synthetic_free(machine->synthetic);
}

static struct store_reader *open_reader(const char *file)
{
        struct store_reader *reader;
        char error[STORE_ERROR_MAX];
        assert_int_equal(store_reader_open(file, &reader, error), 0);
        return reader;
}

struct taken {
        struct boot boots[16];
        uint64_t numbers[16];
        size_t count;
};

static bool take(void *userdata, const struct boot *boot, uint64_t number)
{
        struct taken *taken = userdata;
        taken->boots[taken->count] = *boot;
        taken->numbers[taken->count++] = number;
        return taken->count < 16;
}

static struct taken *read_boots(const char *file, usec_t until_usec, size_t max)
{
        static struct taken taken;
        struct store_reader *reader = open_reader(file);
        taken.count = 0;
        assert_int_equal(store_reader_boots(reader, until_usec, max, take, &taken), 0);
        (void)store_reader_close(reader);
        return &taken;
}

static void assert_same(const struct boot *a, const struct boot *b)
{
        assert_memory_equal(&a->times, &b->times, sizeof(a->times));
        assert_int_equal(a->unit_count, b->unit_count);
        assert_memory_equal(a->units, b->units, a->unit_count * sizeof(a->units[0]));
}

static void test_codec(void **state)
{
        struct bytes bytes = { 0 };
        struct boot back, boot = fake_boot(3, 20.5);
        (void)state;
        assert_int_equal(boot_read("", 0, &back), -EBADMSG);
        assert_int_equal(boot_read("garbage that is no block", 24, &back), -EBADMSG);
        for (unsigned i = 0; boot.unit_count < BOOT_UNITS_MAX; i++) {
                char name[32];
                (void)snprintf(name, sizeof(name), "unit-%u.service", i);
                (void)fake_boot_unit(&boot, name, i, i % 3);
        }
        assert_int_equal(boot_write(&boot, &bytes), 0);
        assert_true(bytes.length < 3000);
        assert_int_equal(boot_read(bytes.data, bytes.length, &back), 0);
        assert_same(&back, &boot);
        for (size_t i = 0; i < bytes.length; i += 7) { /* damage is noticed, or harmless */
                uint8_t *byte = (uint8_t *)bytes.data + i, before = *byte;
                *byte ^= 0x55;
                int r = boot_read(bytes.data, bytes.length, &back);
                assert_true(r == -EBADMSG || (r == 0 && back.unit_count <= BOOT_UNITS_MAX));
                *byte = before;
        }
        assert_int_equal(boot_read(bytes.data, bytes.length / 2, &back), -EBADMSG);
        bytes_done(&bytes);
}

static void test_kept(void **state)
{
        struct machine_of_boots machine;
        struct boot boots[3];
        usec_t known[3];
        (void)state;
        struct store *store = start();
        begin(&machine);
        for (unsigned i = 0; i < 3; i++) {
                boots[i] = fake_boot(i, 20 + i);
                known[i] = hand_in(&machine, store, &boots[i]);
        }
        struct boot starting = fake_boot(9, 5);
        starting.times.stage = BOOT_STARTING;
        (void)hand_in(&machine, store, &starting); /* nothing to keep yet */
        (void)hand_in(&machine, store, NULL);
        (void)store_free(store);

        struct taken *taken = read_boots(path, UINT64_MAX, 16);
        assert_int_equal(taken->count, 3);
        for (unsigned i = 0; i < 3; i++) {
                assert_same(&taken->boots[i], &boots[2 - i]);
                assert_int_equal(taken->numbers[i], 3 - i);
        }
        taken = read_boots(path, known[1], 16); /* what was known then */
        assert_int_equal(taken->count, 2);
        assert_same(&taken->boots[0], &boots[1]);
        taken = read_boots(path, UINT64_MAX, 1);
        assert_int_equal(taken->count, 1);

        /* The samples tell it too. */
        static struct sample sample[2];
        size_t seen = 0;
        struct store_reader *reader = open_reader(path);
        for (unsigned turn = 0; store_reader_next(reader, &sample[turn]) == 1; turn ^= 1) {
                const struct boot *boot = sample[turn].boot;
                if (boot && seen < 3)
                        assert_same(boot, &boots[seen]);
                seen += boot != NULL;
        }
        assert_int_equal(seen, 4);
        (void)store_reader_close(reader);
        synthetic_sample_done(&sample[0]);
        synthetic_sample_done(&sample[1]);
        end(&machine);
}

/* Better knowledge of the same boot replaces what was known, worse does not; a new slowd on an old boot is
 * worse. */
static void test_replaced(void **state)
{
        struct machine_of_boots machine;
        (void)state;
        struct store *store = start();
        begin(&machine);
        struct boot finished = fake_boot(1, 20), settled = finished, late = finished,
                    other = fake_boot(2, 30);
        finished.times.stage = BOOT_FINISHED;
        finished.times.cpu_usec = 1;
        late.times.stage = BOOT_LATE;
        (void)hand_in(&machine, store, &finished);
        (void)hand_in(&machine, store, &settled);
        (void)hand_in(&machine, store, &finished);
        (void)store_free(store);
        store = start();
        (void)hand_in(&machine, store, &late);
        (void)hand_in(&machine, store, &other);
        (void)store_free(store);
        struct taken *taken = read_boots(path, UINT64_MAX, 16);
        assert_int_equal(taken->count, 2);
        assert_same(&taken->boots[0], &other);
        assert_same(&taken->boots[1], &settled);
        end(&machine);
}

static void test_capped(void **state)
{
        char error[STORE_ERROR_MAX];
        struct store_file *file;
        struct boot boot = fake_boot(1, 20);
        struct bytes data = { 0 };
        (void)state;
        assert_int_equal(boot_write(&boot, &data), 0);
        assert_int_equal(store_file_open(path, &file, error), 0);
        for (uint64_t i = 1; i <= STORE_BOOTS_MAX + 5; i++)
                assert_int_equal(store_file_boot(file, i, i, BOOT_SETTLED, &data), 0);
        /* Pruning by size and age leaves them alone. */
        const struct store_limits limits = { .keep_usec = { 1, 1, 1 }, .size_bytes = 1 };
        assert_int_equal(store_file_prune(file, &limits, UINT64_C(1732284842000000)), 0);
        (void)store_file_close(file);
        bytes_done(&data);
        struct taken *taken = read_boots(path, UINT64_MAX, 1);
        assert_int_equal(taken->count, 1);
        assert_int_equal(taken->numbers[0], STORE_BOOTS_MAX);
}

/* A file of before there were boots: nothing to read, and room for them once it is opened for writing. */
static void test_older_file(void **state)
{
        char error[STORE_ERROR_MAX];
        struct machine_of_boots machine;
        sqlite3 *db;
        (void)state;
        (void)store_free(start());
        assert_int_equal(sql_open(path, true, &db, error), 0);
        assert_int_equal(sql_exec(db, "DROP TABLE boot"), SQLITE_OK);
        (void)sqlite3_close(db);
        assert_int_equal(read_boots(path, UINT64_MAX, 16)->count, 0);
        struct store *store = start();
        begin(&machine);
        struct boot boot = fake_boot(1, 20);
        (void)hand_in(&machine, store, &boot);
        (void)store_free(store);
        assert_int_equal(read_boots(path, UINT64_MAX, 16)->count, 1);
        end(&machine);
}

static void test_damaged(void **state)
{
        char error[STORE_ERROR_MAX];
        struct machine_of_boots machine;
        static struct taken taken;
        sqlite3 *db;
        (void)state;
        struct store *store = start();
        begin(&machine);
        struct boot boots[2] = { fake_boot(1, 20), fake_boot(2, 30) };
        (void)hand_in(&machine, store, &boots[0]);
        (void)hand_in(&machine, store, &boots[1]);
        (void)store_free(store);
        assert_int_equal(sql_open(path, true, &db, error), 0);
        assert_int_equal(sql_exec(db, "UPDATE boot SET data = x'00112233' WHERE number = 2"), SQLITE_OK);
        (void)sqlite3_close(db);
        struct store_reader *reader = open_reader(path);
        taken.count = 0;
        assert_int_equal(store_reader_boots(reader, UINT64_MAX, 16, take, &taken), -EBADMSG);
        assert_int_equal(taken.count, 1);
        assert_same(&taken.boots[0], &boots[0]);
        assert_non_null(strstr(store_reader_error(reader), "boot 2 is damaged"));
        struct history *history = history_new();
        assert_int_equal(boots_load(reader, UINT64_MAX, history), 0);
        assert_same(history_boot(history, 0), &boots[0]);
        assert_null(history_boot(history, 1));
        (void)history_free(history);
        (void)store_reader_close(reader);
        end(&machine);
}

/* What cannot be written at that moment is written when it can be. */
static void test_waits(void **state)
{
        struct machine_of_boots machine;
        (void)state;
        begin(&machine);
        assert_int_equal(mkdir(path, 0700), 0); /* where the file should be */
        struct store *store = start();
        struct boot boot = fake_boot(1, 20);
        (void)hand_in(&machine, store, &boot);
        store_wait(store);
        assert_int_equal(rmdir(path), 0);
        for (int i = 0; i < 20; i++)
                (void)hand_in(&machine, store, NULL);
        (void)store_free(store);
        struct taken *taken = read_boots(path, UINT64_MAX, 16);
        assert_int_equal(taken->count, 1);
        assert_same(&taken->boots[0], &boot);
        end(&machine);
}

static void test_loaded_and_exported(void **state)
{
        struct machine_of_boots machine;
        char error[STORE_ERROR_MAX];
        (void)state;
        struct store *store = start();
        begin(&machine);
        usec_t last_usec = 0;
        for (unsigned i = 0; i < 15; i++) {
                struct boot boot = fake_boot(i, 20 + i);
                last_usec = hand_in(&machine, store, &boot);
        }
        (void)store_free(store);
        const char *copy = scratch_path(directory, "copy.slowd");
        struct store_reader *reader = open_reader(path);
        const struct export_options options = { .from_usec = last_usec, .until_usec = last_usec };
        assert_int_equal(export_write(reader, &options, copy, error), 0);
        (void)store_reader_close(reader);

        reader = open_reader(copy);
        struct history *history = history_new();
        assert_int_equal(boots_load(reader, UINT64_MAX, history), 0);
        for (unsigned i = 0; i < HISTORY_BOOTS_MAX; i++) {
                struct boot expected = fake_boot(14 - i, 34 - i);
                assert_same(history_boot(history, i), &expected);
        }
        assert_null(history_boot(history, HISTORY_BOOTS_MAX));
        (void)history_free(history);
        (void)store_reader_close(reader);
        end(&machine);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_codec),
                cmocka_unit_test_setup_teardown(test_kept, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_replaced, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_capped, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_older_file, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_damaged, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_waits, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_loaded_and_exported, set_up, tear_down),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
