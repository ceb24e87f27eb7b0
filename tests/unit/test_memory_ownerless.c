/* memory.ownerless: what cannot be read, what does not grow or ends by itself, then each kind of growth and
 * who has it. */
#include "tests/support/cases.h"

#define CHECK "memory.ownerless"
#define MB    UINT64_C(1000000)

static struct file_system_sample file_systems[2];
static struct slab_sample slabs[2];

static void begin(void)
{
        struct meminfo_sample *memory = &machine->now.meminfo;
        machine->now.uptime_usec = 40 * USEC_PER_DAY;
        memory->shmem_bytes = 100 * MB;
        memory->slab_unreclaimable_bytes = 150 * MB;
        memory->page_tables_bytes = 20 * MB;
        memory->vmalloc_used_bytes = 30 * MB;
        memory->percpu_bytes = 2 * MB;
        memset(file_systems, 0, sizeof(file_systems));
        memset(slabs, 0, sizeof(slabs));
        for (int i = 0; i < 2; i++) {
                (void)snprintf(file_systems[i].type, sizeof(file_systems[i].type), "tmpfs");
                (void)snprintf(file_systems[i].path, sizeof(file_systems[i].path), i ? "/dev/shm" : "/run");
                file_systems[i].total_bytes = 7000 * MB;
                file_systems[i].free_bytes = file_systems[i].available_bytes = 6950 * MB;
        }
        (void)snprintf(slabs[0].name, sizeof(slabs[0].name), "kmalloc-1k");
        (void)snprintf(slabs[1].name, sizeof(slabs[1].name), "filp");
        slabs[0].bytes = slabs[1].bytes = 20 * MB;
        machine->now.file_systems = file_systems;
        machine->now.file_system_count = 2;
        machine->now.slabs = slabs;
        machine->now.slab_count = 2;
        fake_add(machine, "player", "player.service")->counters.rss_shmem_bytes = 50 * MB;
        for (int i = 0; i < 26 * 60; i++) /* a day and a bit of peace */
                fake_tick(machine, 60);
}

/* Five hours, 240 MB an hour. */
static void grow(uint64_t *a, uint64_t *b, uint64_t *falls)
{
        for (int i = 0; i < 300; i++) {
                *a += 4 * MB;
                if (b)
                        *b += 4 * MB;
                if (falls)
                        *falls -= 4 * MB;
                file_systems[1].available_bytes = file_systems[1].free_bytes;
                machine->now.meminfo.available_bytes -= 4 * MB;
                fake_tick(machine, 60);
        }
}

static void test_unknown(void **state)
{
        (void)state;
        machine->now.meminfo.available_bytes = ABSENT;
        fake_run(machine, 5);
        struct finding finding = assert_verdict(CHECK, VERDICT_UNKNOWN, false);
        assert_says(&finding, "MemAvailable");
}

/* An older recording has no lines for the kernel's own memory. */
static void test_absent(void **state)
{
        (void)state;
        fake_run(machine, 300);
        assert_clear(CHECK, "nothing grows");
}

static void test_static(void **state)
{
        (void)state;
        begin();
        file_systems[1].free_bytes = file_systems[1].available_bytes = 3000 * MB; /* at once, then no more */
        machine->now.meminfo.shmem_bytes += 3950 * MB;
        machine->now.meminfo.available_bytes -= 3950 * MB;
        for (int i = 0; i < 300; i++) {
                fake_tick(machine, 60);
                (void)assert_verdict(CHECK, VERDICT_CLEAR, false);
        }
}

static void test_dentries(void **state)
{
        (void)state;
        begin();
        machine->now.meminfo.slab_reclaimable_bytes = 100 * MB;
        machine->now.meminfo.free_bytes = 4000 * MB;
        for (int i = 0; i < 300; i++) { /* find / */
                machine->now.meminfo.slab_reclaimable_bytes += 4 * MB;
                machine->now.meminfo.free_bytes -= 4 * MB;
                fake_tick(machine, 60);
        }
        assert_clear(CHECK, "nothing grows");
}

static void test_tmpfs(void **state)
{
        (void)state;
        begin();
        grow(&machine->now.meminfo.shmem_bytes, NULL, &file_systems[1].free_bytes);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_RISK);
        assert_int_equal(finding.culprit.kind, SUBJECT_MOUNT);
        assert_string_equal(finding.culprit.name, "/dev/shm");
        assert_says(&finding, "files below /dev/shm, which lie in memory, grow without bound: 1.2 GB by now, "
                              "240 MB more each hour, and memory is used up in 20 h");
        assert_says(&finding, "du -xah /dev/shm | sort -h | tail");
        assert_says(&finding, "mount -o remount,size=");
        usec_t ago = machine->now.time.realtime_usec - finding.since_usec;
        assert_about((double)ago / 3.6e9, 5, 0.4);
}

/* It ends at its own size long before memory does. */
static void test_bounded_tmpfs(void **state)
{
        (void)state;
        begin();
        file_systems[1].total_bytes = 2000 * MB;
        file_systems[1].free_bytes = file_systems[1].available_bytes = 1900 * MB;
        for (int i = 0; i < 200; i++)
                fake_tick(machine, 60);
        grow(&machine->now.meminfo.shmem_bytes, NULL, &file_systems[1].free_bytes);
        assert_clear(CHECK, "more are allowed");
}

static void test_held(void **state)
{
        (void)state;
        begin();
        grow(&machine->now.meminfo.shmem_bytes, &machine->processes[0].counters.rss_shmem_bytes, NULL);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.culprit.kind, SUBJECT_PROGRAM);
        assert_string_equal(finding.culprit.name, "player");
        assert_says(&finding, "shared memory that player holds grows without bound");
        assert_says(&finding, "systemctl restart player.service");
}

static void test_nobody_known(void **state)
{
        (void)state;
        begin();
        grow(&machine->now.meminfo.shmem_bytes, NULL, NULL);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.culprit.kind, SUBJECT_MACHINE);
        assert_says(&finding, "files and segments in memory grow without bound");
        assert_says(&finding, "ipcs -m -p");
}

static void test_slab(void **state)
{
        (void)state;
        begin();
        grow(&machine->now.meminfo.slab_unreclaimable_bytes, &slabs[1].bytes, NULL);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "filp");
        assert_says(&finding, "the kernel's filp objects grow without bound");
        assert_says(&finding, "objects of filp are open files");
        assert_says(&finding, "slabtop");
}

/* What holds several kinds of objects: none of them is most of it, but they are told. */
static void test_slabs(void **state)
{
        (void)state;
        begin();
        for (int i = 0; i < 300; i++) {
                machine->now.meminfo.slab_unreclaimable_bytes += 5 * MB;
                slabs[0].bytes += 2 * MB;
                slabs[1].bytes += 1 * MB;
                machine->now.meminfo.available_bytes -= 5 * MB;
                fake_tick(machine, 60);
        }
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.culprit.kind, SUBJECT_MACHINE);
        assert_says(&finding,
                    "the caches that have grown most since then: 600 MB of kmalloc-1k, 300 MB of filp");
}

/* It was not among the largest, which alone are followed, when it began. */
static void test_new_slab(void **state)
{
        (void)state;
        begin();
        static struct slab_sample all[3];
        for (int i = 0; i < 300; i++) {
                machine->now.meminfo.slab_unreclaimable_bytes += 4 * MB;
                machine->now.meminfo.available_bytes -= 4 * MB;
                if (i == 30) {
                        memcpy(all, slabs, sizeof(slabs));
                        (void)snprintf(all[2].name, sizeof(all[2].name), "TCP");
                        all[2].bytes = 110 * MB;
                        machine->now.slabs = all;
                        machine->now.slab_count = 3;
                }
                if (i > 30 && i % 10 == 0)
                        all[2].bytes += i < 100 ? 40 * MB : 20 * MB;
                fake_tick(machine, 60);
        }
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "TCP");
        assert_says(&finding, "TCP connections of some program");
}

static void test_page_tables(void **state)
{
        (void)state;
        begin();
        grow(&machine->now.meminfo.page_tables_bytes, NULL, NULL);
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "page tables grow without bound");
        assert_says(&finding, "huge pages");
}

static void test_mapper(void **state)
{
        (void)state;
        begin();
        machine->processes[0].counters.page_tables_bytes = 15 * MB;
        grow(&machine->now.meminfo.page_tables_bytes, &machine->processes[0].counters.page_tables_bytes,
             NULL);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.culprit.kind, SUBJECT_PROGRAM);
        assert_string_equal(finding.culprit.name, "player");
        assert_says(&finding, "page tables for what player maps grow without bound");
        assert_says(&finding, "fewer of them: here it is player");
}

/* It has had most of them all the time; what is new may be anybody's. */
static void test_old_mapper(void **state)
{
        (void)state;
        begin();
        machine->now.meminfo.page_tables_bytes = 1500 * MB;
        machine->processes[0].counters.page_tables_bytes = 1400 * MB;
        for (int i = 0; i < 26 * 60; i++)
                fake_tick(machine, 60);
        grow(&machine->now.meminfo.page_tables_bytes, NULL, NULL);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.culprit.kind, SUBJECT_MACHINE);
}

/* What no line of meminfo has: all lines are known, and together they are less and less. */
static void test_unaccounted(void **state)
{
        (void)state;
        struct meminfo_sample *memory = &machine->now.meminfo;
        memory->swap_cached_bytes = memory->slab_reclaimable_bytes = memory->kernel_stack_bytes = 0;
        memory->anon_bytes = 500 * MB;
        memory->free_bytes = 5000 * MB;
        begin();
        uint64_t lost = 0;
        grow(&lost, NULL, &memory->free_bytes);
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "memory that the kernel accounts to nobody grows without bound");
        assert_says(&finding, "balloon");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_unknown), CASE(test_absent),        CASE(test_static),      CASE(test_dentries),
                CASE(test_tmpfs),   CASE(test_bounded_tmpfs), CASE(test_held),        CASE(test_nobody_known),
                CASE(test_slab),    CASE(test_slabs),         CASE(test_new_slab),    CASE(test_page_tables),
                CASE(test_mapper),  CASE(test_old_mapper),    CASE(test_unaccounted),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
