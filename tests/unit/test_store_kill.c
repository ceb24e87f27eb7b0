/* kill -9 at random instants, again and again on the same file: at most one tick is lost each time, and the
 * file is never corrupt. SLOWD_KILLS sets how often (default 500, about twenty seconds). */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/history/store.h"
#include "daemon/history/store_read.h"
#include "daemon/history/store_sql.h"
#include "tests/support/scratch.h"
#include "tests/support/synthetic.h"

/* What the child did before it was killed, in memory that both see. */
struct shared {
        _Atomic uint64_t appended;    /* ticks for which store_append() returned */
        _Atomic usec_t realtime_usec; /* of the last of them */
};

static _Noreturn void live(const char *path, struct shared *shared, uint64_t round)
{
        const struct synthetic_options options = {
                .processes = 30, .cpus = 2, .busy_permille = 100, .churn_permille = 5, .seed = round + 1
        };
        struct synthetic *machine = synthetic_new(&options);
        synthetic_set_clock(machine, (int64_t)(round * USEC_PER_DAY)); /* rounds do not overlap */
        struct store_options store_options;
        struct store *store;
        struct sample sample = { 0 };
        store_default_options(path, &clock_real, &store_options);
        if (store_new(&store_options, &store) < 0)
                _exit(1);
        for (;;) {
                /* Half a minute apart: a block ends after 20 ticks and each tick syncs, so that kills hit
                 * these moments too. */
                synthetic_step(machine, 30 * USEC_PER_SEC, &sample);
                store_append(store, &sample);
                atomic_store(&shared->realtime_usec, sample.time.realtime_usec);
                atomic_fetch_add(&shared->appended, 1);
                /* As slowd's own ticks, the next one comes when this one has long been written, however slow
                 * the disk of the test machine is; the kill does not wait. */
                store_wait(store);
                (void)usleep((useconds_t)(rand() % 3000));
        }
}

static size_t count_round(struct store_reader *reader, uint64_t round, usec_t *ret_last)
{
        struct sample turn[2] = { 0 };
        size_t count = 0;
        int result;
        usec_t begin = 1732284842123456 + round * USEC_PER_DAY;
        store_reader_seek(reader, begin, begin + USEC_PER_DAY - 1, NULL);
        while ((result = store_reader_next(reader, &turn[count % 2])) == 1) {
                *ret_last = turn[count % 2].time.realtime_usec;
                count++;
        }
        if (result < 0)
                fail_msg("round %d: %s", (int)round, store_reader_error(reader));
        synthetic_sample_done(&turn[0]);
        synthetic_sample_done(&turn[1]);
        return count;
}

static void a_kill_loses_at_most_one_tick(void **state)
{
        (void)state;
        const char *text = getenv("SLOWD_KILLS");
        uint64_t kills = text ? strtoull(text, NULL, 10) : 500;
        const char *directory = scratch_make();
        const char *path = scratch_path(directory, STORE_FILE_NAME);
        struct shared *shared =
                mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert_ptr_not_equal(shared, MAP_FAILED);
        srand(1);
        uint64_t appended = 0, kept = 0, lossy = 0;
        for (uint64_t round = 0; round < kills; round++) {
                atomic_store(&shared->appended, 0);
                pid_t child = fork();
                if (child == 0)
                        live(path, shared, round);
                assert_true(child > 0);
                /* Some are killed before they have opened the file. */
                (void)usleep((useconds_t)(rand() % (round % 10 == 0 ? 250000 : 40000)));
                assert_int_equal(kill(child, SIGKILL), 0);
                assert_int_equal(waitpid(child, NULL, 0), child);

                uint64_t ticks = atomic_load(&shared->appended);
                char error[STORE_ERROR_MAX];
                struct store_reader *reader;
                int result = store_reader_open(path, &reader, error);
                if (result < 0) { /* killed while it made the file */
                        if (ticks > 1)
                                fail_msg("round %d: %s", (int)round, error);
                        continue;
                }
                usec_t last = 0;
                size_t count = count_round(reader, round, &last);
                (void)store_reader_close(reader);
                /* One more may have been written than the child had time to note. */
                if (count + 1 < ticks || count > ticks + 1)
                        fail_msg("round %d: %d ticks of %d were kept", (int)round, (int)count, (int)ticks);
                lossy += count < ticks;
                appended += ticks;
                kept += count;
        }
        assert_int_equal(scratch_count(directory, "damaged"), 0);

        sqlite3 *db = NULL;
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        sqlite3_stmt *check = NULL;
        assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &check, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(check), SQLITE_ROW);
        assert_string_equal((const char *)sqlite3_column_text(check, 0), "ok");
        (void)sqlite3_finalize(check);
        (void)sqlite3_close(db);
        print_message("%d kills: %d ticks appended, %d kept, one lost in %d kills\n", (int)kills,
                      (int)appended, (int)kept, (int)lossy);
        assert_true(appended > kills);
        scratch_remove(directory);
        (void)munmap(shared, sizeof(*shared));
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(a_kill_loses_at_most_one_tick) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
