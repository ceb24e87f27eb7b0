/* disk.saturated: one fills the disk and another waits; busy alone is no harm. */
#include "tests/support/cases.h"

#define CHECK "disk.saturated"
#define MB    1e6

static struct fake_process *add_writer(double bytes)
{
        struct fake_process *dd = fake_add(machine, "dd", "backup.service");
        dd->running = 0.1;
        dd->disk_wait = 0.8;
        dd->write_bytes = bytes;
        machine->disk_busy = 1;
        machine->io_some = 0.9;
        machine->disk_write_bytes = bytes;
        return dd;
}

static struct fake_process *add_victim(double disk_wait)
{
        struct fake_process *database = fake_add(machine, "postgres", "postgresql.service");
        database->running = 0.05;
        database->disk_wait = disk_wait;
        database->write_bytes = 0.02 * MB;
        return database;
}

static void test_found(void **state)
{
        (void)state;
        add_victim(0.005);
        fake_run(machine, 90);
        usec_t onset = machine->now.time.realtime_usec;
        add_writer(20 * MB);
        machine->process_count = 1; /* it has just started */
        (void)fake_start(machine, "dd", "backup.service");
        machine->processes[1].disk_wait = 0.8;
        machine->processes[1].write_bytes = 20 * MB;
        machine->processes[0].disk_wait = 0.5;
        fake_run(machine, 12);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "dd");
        assert_string_equal(finding.culprit.unit, "backup.service");
        assert_true(fake_is_victim(&finding, "postgres"));
        assert_int_equal(finding.since_usec, onset);
        assert_about(finding.lost_permille, 900, 2); /* 91 % of its time, hardly any of it usual */
        assert_says(&finding, "fills the disk sda");
        assert_says(&finding, "systemctl set-property --runtime backup.service IOWeight=10");
        assert_int_equal(finding.confidence_permille, 900);
}

static void test_busy_but_nobody_waits(void **state)
{
        (void)state;
        add_writer(20 * MB);
        fake_run(machine, 30);
        assert_clear(CHECK, "nobody else waits longer for it than usual");
        struct fake_process *database = add_victim(0.012);
        database->running = 0.05; /* 19 %, and little of it */
        fake_run(machine, 20);
        assert_clear(CHECK, "others lose only");
}

static void test_hysteresis(void **state)
{
        (void)state;
        add_writer(20 * MB);
        struct fake_process *database = add_victim(0.2);
        database->running = 0.8; /* 20 %, of which four fifths can be due to the writer */
        fake_run(machine, 30);
        assert_clear(CHECK, "others lose only 16 %");
        (void)assert_verdict(CHECK, VERDICT_FOUND, true);
        database->disk_wait = 0.1; /* 11 % */
        fake_run(machine, 20);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, true);
}

static void test_idle_disk(void **state)
{
        (void)state;
        add_writer(20 * MB);
        add_victim(0.5);
        machine->disk_busy = machine->io_some = 0.7;
        fake_run(machine, 30);
        assert_clear(CHECK, "in use 70 %");
}

/* A limit (io.max, blkio.throttle) holds requests back before they reach the disk: PSI knows. */
static void test_throttled_by_a_limit(void **state)
{
        (void)state;
        add_writer(1 * MB);
        add_victim(0.5);
        machine->disk_busy = 0.05;
        machine->disk_write_bytes = 300 * MB; /* of others: the disk is fast */
        fake_run(machine, 30);
        (void)assert_found(CHECK);
}

static void test_many_share_it(void **state)
{
        (void)state;
        add_writer(20 * MB);
        struct fake_process *second = fake_add(machine, "rsync", "");
        second->read_bytes = 25 * MB;
        second->disk_wait = 0.6;
        struct fake_process *third = fake_add(machine, "tar", "");
        third->read_bytes = 20 * MB;
        third->disk_wait = 0.6;
        add_victim(0.5);
        fake_run(machine, 30);
        assert_clear(CHECK, "by no single program");
}

/* Another writes as much into the cache, for another disk perhaps, and waits for none: dd, which waits, it
 * is. */
static void test_unhindered_is_not_it(void **state)
{
        (void)state;
        add_writer(20 * MB);
        fake_add(machine, "bash", "")->write_bytes = 25 * MB;
        add_victim(0.5);
        fake_run(machine, 30);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "dd");
}

/* The writer is done and gone, the kernel still writes its pages out; a small one must not inherit the blame.
 */
static void test_write_back_of_the_dead(void **state)
{
        (void)state;
        struct fake_process *small = add_writer(1 * MB);
        (void)small;
        machine->disk_write_bytes = 80 * MB;
        add_victim(0.5);
        fake_run(machine, 30);
        assert_clear(CHECK, "by no single program");
        machine->disk_write_bytes = 8 * MB; /* small synced writes with their journal */
        fake_run(machine, 2);
        (void)assert_found(CHECK);
}

static void test_the_writer_alone_waits(void **state)
{
        (void)state;
        struct fake_process *script = fake_add(machine, "backup.sh", "");
        script->running = 0.01;
        script->disk_wait = 0.3;
        fake_started_by(add_writer(20 * MB), script);
        fake_add(machine, "jbd2/sda1-8", "")->identity.is_kernel_thread = true;
        fake_work(machine, "jbd2/sda1-8", 0.01, 0);
        machine->processes[2].disk_wait = 0.8;
        fake_run(machine, 30);
        assert_clear(CHECK, "nobody else waits longer for it than usual");
}

static void test_batch_victims(void **state)
{
        (void)state;
        add_writer(20 * MB);
        add_victim(0.5)->counters.nice = 19; /* updatedb */
        fake_run(machine, 30);
        assert_clear(CHECK, "nobody else waits longer for it than usual");
}

/* Two copies of one name: one fills the disk, the other waits for it. */
static void test_same_name(void **state)
{
        (void)state;
        add_writer(20 * MB);
        struct fake_process *small = fake_add(machine, "dd", "other.service");
        small->running = 0.01;
        small->disk_wait = 0.9;
        small->write_bytes = 0.1 * MB;
        fake_run(machine, 30);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "dd");
        assert_true(fake_is_victim(&finding, "dd"));
}

/* rsync is three processes: one writes, the others wait for it and for the disk. One job. */
static void test_rsync_alone(void **state)
{
        (void)state;
        struct fake_process *receiver = add_writer(20 * MB), *generator = fake_add(machine, "dd", "");
        (void)snprintf(receiver->identity.name, PROGRAM_NAME_MAX, "rsync");
        (void)snprintf(generator->identity.name, PROGRAM_NAME_MAX, "rsync");
        fake_started_by(receiver, generator);
        generator->running = 0.02;
        generator->disk_wait = 0.9;
        fake_run(machine, 30);
        assert_clear(CHECK, "nobody else waits longer for it than usual");
}

static void two_disks(void)
{
        machine->now.disk_count = 2;
        machine->now.disks[1] = machine->now.disks[0];
        (void)snprintf(machine->now.disks[1].name, DEVICE_NAME_MAX, "sdb");
        machine->now.disks[0].major = machine->now.disks[1].major = 8;
        machine->now.disks[1].minor = 16;
}

/* A heavy writer on another disk: its open files tell. */
static void test_heavy_writer_elsewhere(void **state)
{
        (void)state;
        two_disks();
        struct fake_process *dd = add_writer(2 * MB), *database = add_victim(0.5);
        struct fake_process *spooler = fake_add(machine, "spooler", "");
        spooler->write_bytes = 30 * MB;
        spooler->disk_wait = 0.5; /* waits for its own disk */
        spooler->counters.io_devices[0] = DEVICE_NUMBER(8, 16);
        dd->counters.io_devices[0] = database->counters.io_devices[0] = DEVICE_NUMBER(8, 0);
        fake_run(machine, 30);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "dd");
        assert_string_equal(finding.device, "sda");
        assert_false(fake_is_victim(&finding, "spooler"));
        /* Nor does dd harm anybody who is on the other disk only. */
        fake_end(machine, "spooler");
        database->counters.io_devices[0] = DEVICE_NUMBER(8, 16);
        fake_run(machine, 30);
        assert_clear(CHECK, "nobody else waits longer for it than usual");
}

/* A copy from the busy disk to another: in the way on the one, hardly there on the other. */
static void test_one_of_two_disks(void **state)
{
        (void)state;
        two_disks();
        struct fake_process *rsync = fake_add(machine, "rsync", "");
        rsync->read_bytes = rsync->write_bytes = 2 * MB;
        rsync->disk_wait = 0.9;
        machine->disk_busy = machine->io_some = 1;
        machine->disk_read_bytes = 2 * MB;
        struct fake_process *database = add_victim(0.5), *other = fake_add(machine, "bench", "");
        other->disk_wait = 0.8;
        other->write_bytes = 0.2 * MB;
        rsync->counters.io_devices[0] = DEVICE_NUMBER(8, 0);
        rsync->counters.io_devices[1] = DEVICE_NUMBER(8, 16);
        database->counters.io_devices[0] = DEVICE_NUMBER(8, 0);
        other->counters.io_devices[0] = DEVICE_NUMBER(8, 16);
        for (int i = 0; i < 30; i++) {
                machine->now.disks[1].busy_msec += 900;
                machine->now.disks[1].write_bytes += 40000000;
                fake_tick(machine, 1);
        }
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "rsync");
        assert_string_equal(finding.device, "sda");
        assert_int_equal(finding.victim_count, 1);
        assert_true(fake_is_victim(&finding, "postgres"));
}

/* The database is on a volume: on the writer's disk, or on another one. */
static void test_volume(void **state)
{
        (void)state;
        two_disks();
        machine->now.disk_count = 3;
        struct disk_sample *volume = &machine->now.disks[2];
        *volume = machine->now.disks[1];
        (void)snprintf(volume->name, sizeof(volume->name), "dm-0");
        (void)snprintf(volume->lower, sizeof(volume->lower), "sda");
        volume->major = 253;
        volume->is_stacked = true;
        add_writer(20 * MB)->counters.io_devices[0] = DEVICE_NUMBER(8, 0);
        add_victim(0.5)->counters.io_devices[0] = DEVICE_NUMBER(253, 16);
        fake_run(machine, 30);
        (void)assert_found(CHECK);
        for (int i = 0; i < 12; i++) { /* its requests take 200 ms, those of the disk below 5 ms */
                machine->now.disks[0].reads += 100;
                machine->now.disks[0].read_msec += 500;
                volume->reads += 10;
                volume->read_msec += 2000;
                fake_tick(machine, 1);
        }
        assert_clear(CHECK, "nobody else waits longer for it than usual");
        fake_run(machine, 2);
        (void)assert_found(CHECK);
        (void)snprintf(volume->lower, sizeof(volume->lower), "sdb");
        fake_run(machine, 2);
        assert_clear(CHECK, "nobody else waits longer for it than usual");
        volume->lower[0] = '\0'; /* not known: the writer's is busy, so it may be that one */
        fake_run(machine, 2);
        (void)assert_found(CHECK);
}

/* A backup from an image on the busy system disk, of which it moves next to nothing, and a benchmark there.
 */
static void test_image_on_a_busy_disk(void **state)
{
        (void)state;
        two_disks();
        struct disk_sample *image = &machine->now.disks[1];
        (void)snprintf(image->name, sizeof(image->name), "loop4");
        (void)snprintf(image->lower, sizeof(image->lower), "sda");
        image->major = 7;
        image->is_stacked = true;
        struct fake_process *rsync = fake_add(machine, "rsync", ""), *bench = add_victim(0.8);
        rsync->read_bytes = 0.5 * MB;
        rsync->disk_wait = 0.9;
        rsync->counters.io_devices[0] = DEVICE_NUMBER(7, 16);
        bench->counters.io_devices[0] = DEVICE_NUMBER(8, 0);
        machine->disk_busy = machine->io_some = 1;
        machine->disk_write_bytes = 20 * MB; /* of many, the benchmark among them */
        for (int i = 0; i < 30; i++) {
                image->busy_msec += 990;
                image->read_bytes += 500000;
                fake_tick(machine, 1);
        }
        assert_clear(CHECK, "nobody else waits longer for it than usual");
        machine->disk_write_bytes =
                0.3 * MB; /* nobody else uses it: then the image's reads are what there is */
        for (int i = 0; i < 12; i++) {
                image->busy_msec += 990;
                image->read_bytes += 500000;
                fake_tick(machine, 1);
        }
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.device, "sda");
}

/* Who always waits for its disk does not lose what it always loses. */
static void test_always_bound_to_its_disk(void **state)
{
        (void)state;
        struct fake_process *database = add_victim(0.9);
        machine->disk_busy = machine->io_some = 0.95;
        fake_run(machine, 90);
        (void)fake_start(machine, "dd", "backup.service");
        machine->processes[1].disk_wait = 0.1;
        machine->processes[1].write_bytes = 20 * MB;
        machine->disk_write_bytes = 20 * MB;
        database->disk_wait = 0.95;
        fake_run(machine, 12);
        assert_clear(CHECK, "dd keeps a disk busy, but others lose only 4.9 %");
}

/* Of one without a past as much counts as can come from the writer, and it is said that no more is known. */
static void test_no_past(void **state)
{
        (void)state;
        struct fake_process *dd = add_writer(20 * MB);
        add_victim(0.9);
        fake_run(machine, 30);
        struct finding finding = assert_found(CHECK);
        assert_about(finding.lost_permille, 947 * 0.8 / 1.7, 3);
        assert_int_equal(finding.confidence_permille, 700);
        assert_says(&finding, "what it always waits is not known yet");
        dd->disk_wait = 0.1; /* hardly in anybody's way */
        fake_run(machine, 30);
        assert_clear(CHECK, "others lose only 9");
}

static void test_unknown_and_early(void **state)
{
        (void)state;
        add_writer(20 * MB);
        add_victim(0.5);
        fake_run(machine, 4);
        assert_clear(CHECK, "for a moment yet");
        machine->now.disk_count = 0;
        memset(machine->now.pressure, 0xff, sizeof(machine->now.pressure));
        fake_run(machine, 20);
        (void)assert_verdict(CHECK, VERDICT_UNKNOWN, false);
}

/* A victim that is older than delay accounting: its D state is sampled, with less confidence. */
static void test_sampled_victim(void **state)
{
        (void)state;
        add_writer(20 * MB);
        struct fake_process *database = add_victim(0);
        fake_without_delays(database);
        for (int i = 0; i < 20; i++) {
                database->counters.state = i % 2 ? 'D' : 'S';
                (void)snprintf(database->counters.wait_channel, sizeof(database->counters.wait_channel),
                               "jbd2_log_wait_commit");
                fake_tick(machine, 1);
        }
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.confidence_permille, 500); /* nor is its past known */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_found),
                CASE(test_busy_but_nobody_waits),
                CASE(test_hysteresis),
                CASE(test_idle_disk),
                CASE(test_throttled_by_a_limit),
                CASE(test_many_share_it),
                CASE(test_unhindered_is_not_it),
                CASE(test_write_back_of_the_dead),
                CASE(test_the_writer_alone_waits),
                CASE(test_batch_victims),
                CASE(test_same_name),
                CASE(test_rsync_alone),
                CASE(test_heavy_writer_elsewhere),
                CASE(test_one_of_two_disks),
                CASE(test_volume),
                CASE(test_image_on_a_busy_disk),
                CASE(test_always_bound_to_its_disk),
                CASE(test_no_past),
                CASE(test_unknown_and_early),
                CASE(test_sampled_victim),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
