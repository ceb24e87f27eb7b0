/* /proc/mdstat: software RAID arrays, whether all their disks work, and what they are busy with by themselves
 * (resync, check, rebuild). The file is there only where the md module is. */
#include "daemon/sample/parsers.h"

#include <errno.h>
#include <string.h>

#include "daemon/sample/fields.h"

#define KIBIBYTE 1024

static int add_kib(struct span text, uint64_t *ret_bytes)
{
        uint64_t kib;
        int r = span_u64(text, &kib);
        if (r == 0 && __builtin_mul_overflow(kib, KIBIBYTE, ret_bytes))
                r = -ERANGE;
        return r;
}

/* "27264/102272": two numbers around a slash. */
static int take_pair(struct span text, struct span *ret_first, struct span *ret_second)
{
        if (!span_take_until(&text, '/', ret_first))
                return -EINVAL;
        *ret_second = text;
        return 0;
}

/* Takes the brackets off; false if it has none. */
static bool unwrap(struct span *word, char open, char close)
{
        if (word->length < 2 || word->at[0] != open || word->at[word->length - 1] != close)
                return false;
        word->at++;
        word->length -= 2;
        return true;
}

/* "sdb1[1]", "sdc1[2](F)": the name, unless the array has given the disk up or keeps it as a spare. */
static void add_member(struct span word, struct raid_sample *raid)
{
        struct span name;
        size_t length = strlen(raid->members);
        bool is_out = word.length > 3 && (memcmp(word.at + word.length - 3, "(F)", 3) == 0 ||
                                          memcmp(word.at + word.length - 3, "(S)", 3) == 0);
        if (is_out || !span_take_until(&word, '[', &name))
                return;
        (void)text_append(raid->members, sizeof(raid->members), &length, "%s%.*s", length > 0 ? " " : "",
                          (int)name.length, name.at);
}

/* Linux 6.1: "md0 : active raid1 sdb1[1] sda1[0]", "md1 : active (auto-read-only) raid1 ...",
 * "md2 : inactive sdc[0](S)". */
static int begin_array(struct span name, struct span line, struct raid_sample *ret_raid)
{
        struct span word;
        memset(ret_raid, 0, sizeof(*ret_raid));
        ret_raid->disks_wanted = ret_raid->disks_working = ABSENT;
        ret_raid->done_bytes = ret_raid->total_bytes = ret_raid->bytes_per_sec = ABSENT;
        if (!span_copy(name, ret_raid->name, sizeof(ret_raid->name)) || !span_take_word(&line, &word))
                return -EINVAL;
        ret_raid->is_active = span_equal(word, "active");
        while (span_take_word(&line, &word)) {
                if (word.at[0] == '(')
                        continue;
                if (memchr(word.at, '[', word.length))
                        add_member(word, ret_raid);
                else if (!ret_raid->level[0])
                        (void)span_copy(word, ret_raid->level, sizeof(ret_raid->level));
        }
        return 0;
}

/* A word of progress, "speed=55744K/sec" or "(61665024/488383936)", or of state, "[4/3]". */
static int take_figure(struct span word, struct raid_sample *raid)
{
        struct span first, second;
        if (unwrap(&word, '(', ')')) {
                int r = take_pair(word, &first, &second);
                if (r == 0)
                        r = add_kib(first, &raid->done_bytes);
                return r == 0 ? add_kib(second, &raid->total_bytes) : r;
        }
        if (span_starts(word, "speed=")) {
                word.at += 6;
                word.length -= 6;
                return span_take_until(&word, 'K', &first) ? add_kib(first, &raid->bytes_per_sec) : -EINVAL;
        }
        if (word.length > 2 && word.at[1] >= '0' && word.at[1] <= '9' && unwrap(&word, '[', ']') &&
            take_pair(word, &first, &second) == 0) {
                int r = span_u64(first, &raid->disks_wanted);
                return r == 0 ? span_u64(second, &raid->disks_working) : r;
        }
        return 0;
}

/* Linux 6.1, the lines below an array; a task that waits for another array is "resync=DELAYED":
 *       1465151808 blocks super 1.2 level 5, 512k chunk, algorithm 2 [4/3] [UUU_]
 *       [==>..................]  recovery = 12.6% (61665024/488383936) finish=127.5min speed=55744K/sec
 *       bitmap: 1/4 pages [4KB], 65536KB chunk */
static int take_details(struct span line, struct raid_sample *raid)
{
        static const char *const actions[] = { "resync", "recovery", "reshape", "check" };
        struct span word, action;
        int error = 0;
        while (span_take_word(&line, &word)) {
                if (span_equal(word, "bitmap:"))
                        break;
                struct span rest = word;
                bool is_short = span_take_until(&rest, '=', &action);
                for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
                        if (!span_equal(is_short ? action : word, actions[i]))
                                continue;
                        text_format(raid->action, sizeof(raid->action), "%s", actions[i]);
                        raid->is_waiting = is_short;
                }
                fields_note(take_figure(word, raid), &error);
        }
        return error;
}

int mdstat_parse(struct span text, struct sample *sample)
{
        struct span line, name, colon;
        struct raid_sample *raid = NULL;
        int error = 0;
        while (span_take_line(&text, &line)) {
                if (line.length == 0)
                        continue;
                if (line.at[0] == ' ' || line.at[0] == '\t') {
                        if (raid)
                                fields_note(take_details(line, raid), &error);
                        continue;
                }
                raid = NULL;
                if (!span_starts(line, "md") || !span_take_word(&line, &name) ||
                    !span_take_word(&line, &colon) || !span_equal(colon, ":"))
                        continue;
                if (sample->raid_count == RAIDS_MAX) {
                        sample->dropped++;
                        continue;
                }
                int r = begin_array(name, line, &sample->raids[sample->raid_count]);
                fields_note(r, &error);
                if (r == 0)
                        raid = &sample->raids[sample->raid_count++];
        }
        return error;
}
