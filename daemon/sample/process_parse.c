/* Parsers of the files of /proc/PID, see proc_pid_stat(5) and its neighbours. */
#include "daemon/sample/process_parse.h"

#include <errno.h>
#include <string.h>

/* Numbers of fields as in proc_pid_stat(5); those from ppid on are kept in an array. */
enum {
        STAT_PPID = 4,
        STAT_FLAGS = 9,
        STAT_MINFLT = 10,
        STAT_MAJFLT = 12,
        STAT_CMAJFLT = 13,
        STAT_UTIME = 14,
        STAT_STIME = 15,
        STAT_CUTIME = 16,
        STAT_CSTIME = 17,
        STAT_NICE = 19,
        STAT_THREADS = 20,
        STAT_START = 22,
        STAT_RSS = 24,
        STAT_START_CODE = 26,
        STAT_START_STACK = 28,
        STAT_POLICY = 41,
        STAT_FIELDS,
};

/* A number with or without sign, as two's complement. */
static int take_any(struct span *line, uint64_t *ret)
{
        struct span word;
        if (!span_take_word(line, &word))
                return -ENODATA;
        if (word.length > 0 && word.at[0] == '-') {
                int64_t value;
                int r = span_i64(word, &value);
                if (r == 0)
                        *ret = (uint64_t)value;
                return r;
        }
        return span_u64(word, ret);
}

/* Kernel 6.18: "10148 (cat) R 10137 10137 7079 0 -1 4194304 98 0 0 0 0 0 0 0 20 0 1 0 140705 3133440 414
 * 18446744073709551615 93835517415424 93835517435305 140729106163872 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 ..." */
int process_parse_stat(const char *buffer, struct process_stat *ret)
{
        uint64_t field[STAT_FIELDS], pid;
        const char *open = strchr(buffer, '('), *close = strrchr(buffer, ')');
        struct span rest, word;

        if (!open || !close || close < open || open == buffer)
                return -EINVAL;
        rest = (struct span){ buffer, (size_t)(open - buffer) };
        if (span_take_u64(&rest, &pid) < 0 || pid == 0 || pid > INT32_MAX)
                return -EINVAL;
        rest = span_of(close + 1);
        if (!span_take_word(&rest, &word) || word.length != 1)
                return -EINVAL;
        for (size_t i = STAT_PPID; i < STAT_FIELDS; i++)
                if (take_any(&rest, &field[i]) < 0)
                        return -EINVAL;
        int64_t nice = (int64_t)field[STAT_NICE];
        if (field[STAT_PPID] > INT32_MAX || nice < -20 || nice > 19 || field[STAT_POLICY] > UINT8_MAX ||
            field[STAT_THREADS] > INT32_MAX || (int64_t)field[STAT_RSS] < 0)
                return -EINVAL;

        *ret = (struct process_stat){
                .pid = (uint32_t)pid,
                .ppid = (uint32_t)field[STAT_PPID],
                .comm = { open + 1, (size_t)(close - open - 1) },
                .state = word.at[0],
                .flags = (uint32_t)field[STAT_FLAGS],
                .minor_faults = field[STAT_MINFLT],
                .major_faults = field[STAT_MAJFLT],
                .children_major_faults = field[STAT_CMAJFLT],
                .user_ticks = field[STAT_UTIME],
                .system_ticks = field[STAT_STIME],
                .children_user_ticks = field[STAT_CUTIME],
                .children_system_ticks = field[STAT_CSTIME],
                .nice = (int8_t)nice,
                .policy = (uint8_t)field[STAT_POLICY],
                .threads = (uint32_t)field[STAT_THREADS],
                .start_ticks = field[STAT_START],
                .rss_pages = field[STAT_RSS],
                .start_code = field[STAT_START_CODE],
                .start_stack = field[STAT_START_STACK],
        };
        return 0;
}

/* Kernel 6.18: "765 414 386 5 0 124 0": size, resident, shared, text, lib, data, dirty, in pages. */
int process_parse_statm(const char *buffer, struct process_statm *ret)
{
        struct span line = span_of(buffer);
        uint64_t size, resident, shared;

        if (span_take_u64(&line, &size) < 0 || span_take_u64(&line, &resident) < 0 ||
            span_take_u64(&line, &shared) < 0)
                return -EINVAL;
        *ret = (struct process_statm){ .resident_pages = resident, .shared_pages = shared };
        return 0;
}

/* Kernel 6.18: "rchar: 6976\nwchar: 0\nsyscr: 10\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\n
 * cancelled_write_bytes: 0\n"; without CONFIG_TASK_IO_ACCOUNTING only the first four: the rest ABSENT. */
int process_parse_io(const char *buffer, struct process_io *ret)
{
        struct process_io io;
        uint64_t *const values[] = { &io.read_chars,           &io.write_chars, &io.read_calls,
                                     &io.write_calls,          &io.read_bytes,  &io.write_bytes,
                                     &io.cancelled_write_bytes };
        static const char *const keys[] = {
                "rchar", "wchar", "syscr", "syscw", "read_bytes", "write_bytes", "cancelled_write_bytes"
        };
        struct span text = span_of(buffer), line, key;
        size_t found = 0;

        for (size_t i = 0; i < 7; i++)
                *values[i] = ABSENT;
        while (span_take_line(&text, &line)) {
                if (!span_take_until(&line, ':', &key))
                        return -EINVAL;
                for (size_t i = 0; i < 7; i++)
                        if (span_equal(key, keys[i])) {
                                if (span_take_u64(&line, values[i]) < 0)
                                        return -EINVAL;
                                found++;
                        }
        }
        if (found == 0)
                return -EINVAL;
        *ret = io;
        return 0;
}

static int take_kib(struct span *line, uint64_t *ret_bytes)
{
        uint64_t kib;
        if (span_take_u64(line, &kib) < 0 || kib > UINT64_MAX / 1024 - 1)
                return -EINVAL;
        *ret_bytes = kib * 1024;
        return 0;
}

static int take_state(struct span *line, char *ret_state)
{
        struct span word;
        if (!span_take_word(line, &word) || word.length != 1)
                return -EINVAL;
        *ret_state = word.at[0];
        return 0;
}

static int take_u32(struct span *line, uint32_t *ret)
{
        uint64_t value;
        if (span_take_u64(line, &value) < 0 || value > UINT32_MAX)
                return -EINVAL;
        *ret = (uint32_t)value;
        return 0;
}

/* Kernel 6.18, among 60 lines: "State:\tS (sleeping)", "PPid:\t1", "Uid:\t1000\t1000\t1000\t1000" (real,
 * effective, saved, file system), "VmRSS:\t    1656 kB", "RssAnon:\t     112 kB", "RssFile:\t    1544 kB",
 * "RssShmem:\t       0 kB", "VmPTE:\t      44 kB", "VmSwap:\t       0 kB". */
int process_parse_status(const char *buffer, struct process_status *ret)
{
        struct process_status status = { .rss_bytes = ABSENT,
                                         .rss_anon_bytes = ABSENT,
                                         .rss_file_bytes = ABSENT,
                                         .rss_shmem_bytes = ABSENT,
                                         .swap_bytes = ABSENT,
                                         .page_tables_bytes = ABSENT };
        struct span text = span_of(buffer), line, key;
        unsigned needed = 3;
        int r = 0;

        while (r == 0 && span_take_line(&text, &line)) {
                uint32_t real;
                if (!span_take_until(&line, ':', &key))
                        continue;
                if (span_equal(key, "State")) {
                        r = take_state(&line, &status.state);
                        needed--;
                } else if (span_equal(key, "PPid")) {
                        r = take_u32(&line, &status.ppid);
                        needed--;
                } else if (span_equal(key, "Uid")) {
                        r = take_u32(&line, &real);
                        r = r < 0 ? r : take_u32(&line, &status.uid);
                        needed--;
                } else if (span_equal(key, "VmRSS"))
                        r = take_kib(&line, &status.rss_bytes);
                else if (span_equal(key, "RssAnon"))
                        r = take_kib(&line, &status.rss_anon_bytes);
                else if (span_equal(key, "RssFile"))
                        r = take_kib(&line, &status.rss_file_bytes);
                else if (span_equal(key, "RssShmem"))
                        r = take_kib(&line, &status.rss_shmem_bytes);
                else if (span_equal(key, "VmPTE"))
                        r = take_kib(&line, &status.page_tables_bytes);
                else if (span_equal(key, "VmSwap")) {
                        r = take_kib(&line, &status.swap_bytes);
                        break; /* what follows is of no use here */
                }
        }
        if (r < 0 || needed != 0)
                return -EINVAL;
        *ret = status;
        return 0;
}

/* Kernel 6.18: "75534 68914 2": ns on a CPU, ns runnable without one, times put on one. Without
 * CONFIG_SCHED_INFO it is "0 0 0". */
int process_parse_schedstat(const char *buffer, struct process_schedstat *ret)
{
        struct span line = span_of(buffer);
        struct process_schedstat s;

        if (span_take_u64(&line, &s.run_nsec) < 0 || span_take_u64(&line, &s.run_delay_nsec) < 0 ||
            span_take_u64(&line, &s.slices) < 0)
                return -EINVAL;
        *ret = s;
        return 0;
}

/* Kernel 6.18, among 16 lines in columns, soft limit first:
 * "Max open files            1024                 524288               files     " */
int process_parse_files_limit(const char *buffer, uint64_t *ret_limit)
{
        static const char title[] = "Max open files";
        struct span text = span_of(buffer), line, word;

        while (span_take_line(&text, &line)) {
                if (!span_starts(line, title))
                        continue;
                line.at += sizeof(title) - 1;
                line.length -= sizeof(title) - 1;
                if (!span_take_word(&line, &word))
                        return -EINVAL;
                if (span_equal(word, "unlimited")) {
                        *ret_limit = ABSENT;
                        return 0;
                }
                return span_u64(word, ret_limit) < 0 ? -EINVAL : 0;
        }
        return -EINVAL;
}

/* Kernel 6.18: "/autogroup-19 nice 0". */
int process_parse_autogroup(const char *buffer, uint64_t *ret_number, int8_t *ret_nice)
{
        static const char prefix[] = "/autogroup-";
        struct span line = span_of(buffer), word, number;
        uint64_t n;
        int64_t nice;

        if (!span_take_word(&line, &word))
                return -ENODATA;
        if (!span_starts(word, prefix))
                return -EINVAL;
        number = (struct span){ word.at + sizeof(prefix) - 1, word.length - (sizeof(prefix) - 1) };
        while (line.length > 0 && line.at[line.length - 1] == '\n')
                line.length--;
        if (span_u64(number, &n) < 0 || !span_take_word(&line, &word) || !span_equal(word, "nice") ||
            span_take_i64(&line, &nice) < 0 || nice < -20 || nice > 19)
                return -EINVAL;
        *ret_number = n;
        *ret_nice = (int8_t)nice;
        return 0;
}
