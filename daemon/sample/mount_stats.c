/* mountstats of NFS: Documentation/filesystems/nfs and net/sunrpc/stats.c; Stats of CIFS: fs/smb/client. */
#include "daemon/sample/mount_stats.h"

#include <errno.h>
#include <string.h>

#include "daemon/sample/fields.h"
#include "daemon/sample/path.h"

static const struct mount_counters unknown = { ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT,
                                               ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT };

static void add(uint64_t *sum, uint64_t value)
{
        *sum = *sum == ABSENT ? value : *sum + value;
}

/* "device server:/export mounted on /mnt/nfs with fstype nfs4 statvers=1.1" */
static bool take_device(struct span line, struct span *ret_path, bool *ret_has_statistics)
{
        struct span word[8];
        size_t count = 0;
        while (count < 8 && span_take_word(&line, &word[count]))
                count++;
        if (count < 8 || !span_equal(word[0], "device") || !span_equal(word[2], "mounted") ||
            !span_equal(word[3], "on"))
                return false;
        *ret_path = word[4];
        *ret_has_statistics = span_take_word(&line, &word[0]) && span_starts(word[0], "statvers=");
        return true;
}

/* Since 2.6.17; "errors" came with 5.3. Operations, transmissions, major timeouts, bytes sent and received,
 * and the sums in milliseconds of queueing, round trip and execution:
 *   "        READ: 240 241 0 52800 31486080 15 11844 11891 0" */
static int take_operation(struct span line, struct mount_counters *counters)
{
        struct span name;
        uint64_t value[9] = { 0 };
        if (!span_take_word(&line, &name) || name.length < 2 || name.at[name.length - 1] != ':')
                return -EINVAL;
        for (size_t i = 0; i < 9; i++) {
                int r = span_take_u64(&line, &value[i]);
                if (r == -ENODATA && i == 8)
                        break;
                if (r < 0)
                        return r == -ENODATA ? -EINVAL : r;
        }
        if (span_equal(name, "NULL:"))
                return 0; /* the question at mount time whether somebody is there */
        add(&counters->operations, value[0]);
        add(&counters->transmissions, value[1]);
        add(&counters->timeouts, value[2]);
        add(&counters->queue_msec, value[5]);
        add(&counters->rtt_msec, value[6]);
        add(&counters->execute_msec, value[7]);
        add(&counters->errors, value[8]);
        add(&counters->data_operations,
            span_equal(name, "READ:") || span_equal(name, "WRITE:") ? value[0] : 0);
        return 0;
}

/* The word of that number, counted from 0. */
static int take_number(struct span line, size_t number, uint64_t *ret_value)
{
        struct span word;
        for (size_t i = 0; i <= number; i++)
                if (!span_take_word(&line, &word))
                        return -EINVAL;
        return span_u64(word, ret_value);
}

/* "bytes:	0 0 0 0 31457280 0 7680 0": by read(), by write(), the same past the cache, from the server,
 * to it */
static int take_bytes(struct span line, struct mount_counters *counters)
{
        int r = take_number(line, 5, &counters->read_bytes);
        return r < 0 ? r : take_number(line, 6, &counters->write_bytes);
}

/* One line a connection. "xprt:	tcp 691 1 1 0 3 312 312 0 2117 0 2 1 0": port, binds, connects, time
 * of connecting, idle time, sends, receipts ...; udp has no connects and times in between. */
static int take_connection(struct span line, struct mount_counters *counters)
{
        struct span word, rest = line;
        uint64_t sends = 0, receipts = 0;
        if (!span_take_word(&rest, &word) || !span_take_word(&rest, &word))
                return -EINVAL;
        size_t first = 0;
        if (span_equal(word, "tcp") || span_equal(word, "rdma"))
                first = 7;
        else if (span_equal(word, "udp"))
                first = 4;
        else
                return 0; /* local, or to come */
        int r = take_number(line, first, &sends);
        if (r == 0)
                r = take_number(line, first + 1, &receipts);
        if (r < 0)
                return r;
        add(&counters->sends, sends);
        add(&counters->receipts, receipts);
        return 0;
}

static int take_line(struct span line, bool *are_operations, struct mount_counters *counters)
{
        struct span word, rest = line;
        if (!span_take_word(&rest, &word))
                return 0;
        if (*are_operations)
                return take_operation(line, counters);
        if (span_equal(word, "bytes:"))
                return take_bytes(line, counters);
        if (span_equal(word, "xprt:"))
                return take_connection(line, counters);
        *are_operations = span_equal(word, "per-op");
        return 0;
}

int mount_stats_next(struct span *text, char ret_path[static PATH_TEXT_MAX],
                     struct mount_counters *ret_counters)
{
        struct span line, path, ahead;
        bool has_statistics = false, are_operations = false;
        int error = 0;
        do {
                if (!span_take_line(text, &line))
                        return -ENODATA;
        } while (!take_device(line, &path, &has_statistics) || !has_statistics);
        path_unescape(path, ret_path, PATH_TEXT_MAX);
        *ret_counters = unknown;
        ahead = *text;
        while (span_take_line(&ahead, &line)) {
                if (span_starts(line, "device "))
                        break;
                fields_note(take_line(line, &are_operations, ret_counters), &error);
                *text = ahead;
        }
        return error;
}

/* ---- CIFS ---- */

/* Linux 6.1 writes the tree with backslashes: "1) \\files\export". */
static bool is_tree(struct span line, const char *source)
{
        struct span number;
        uint64_t value;
        if (!span_take_until(&line, ')', &number) || span_u64(number, &value) < 0 || line.length < 2)
                return false;
        line.at++;
        line.length--;
        size_t i = 0;
        for (; i < line.length && source[i]; i++) {
                char c = line.at[i] == '\\' ? '/' : line.at[i];
                if (c != source[i] && !(line.at[i] == '\t' || line.at[i] == ' '))
                        return false;
                if (c != source[i])
                        break;
        }
        return !source[i];
}

/* Linux 6.1, below the line of the tree:
 *   SMBs: 9
 *   Bytes read: 31457280  Bytes written: 0 */
static int take_cifs_line(struct span line, struct mount_counters *counters)
{
        if (span_starts(line, "SMBs:"))
                return take_number(line, 1, &counters->operations);
        if (!span_starts(line, "Bytes read:"))
                return 0;
        int r = take_number(line, 2, &counters->read_bytes);
        return r < 0 ? r : take_number(line, 5, &counters->write_bytes);
}

int mount_stats_cifs(struct span text, const char *source, struct mount_counters *ret_counters)
{
        struct span line, number, rest;
        bool is_it = false;
        int error = 0;
        uint64_t value;
        *ret_counters = unknown;
        while (span_take_line(&text, &line)) {
                rest = line;
                if (span_take_until(&rest, ')', &number) && span_u64(number, &value) == 0) {
                        if (is_it)
                                break;
                        is_it = is_tree(line, source);
                } else if (is_it)
                        fields_note(take_cifs_line(line, ret_counters), &error);
        }
        return is_it ? error : -ENODATA;
}
