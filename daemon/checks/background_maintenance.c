/* background.maintenance: a package update, backup, scan or disk check gets in the way of others, or a RAID
 * array that goes through its disks by itself. */
#include <string.h>

#include "common/text.h"
#include "daemon/checks/background.h"

static const struct disk_rate *disk_named(const struct snapshot *latest, struct span name)
{
        const struct disk_rate *best = NULL;
        size_t length = 0;
        for (size_t i = 0; i < latest->disk_count; i++) {
                const struct disk_rate *disk = &latest->disks[i];
                size_t own = strlen(disk->sample->name);
                /* Of a partition the disk that it is on: its name is the beginning. */
                if (disk->sample->is_partition || own > name.length || own < length ||
                    memcmp(disk->sample->name, name.at, own) != 0)
                        continue;
                best = disk;
                length = own;
        }
        return best;
}

/* The array's own work is no process's: what it moves is the kernel's figure, and what its busiest disk has
 * in its queue beyond what programs wait for is its. */
static bool offender_of_raid(const struct background *background, const struct raid_sample *raid,
                             struct offender *ret_offender)
{
        struct span members = span_of(raid->members), member;
        if (!raid->action[0] || raid->is_waiting || raid->bytes_per_sec == ABSENT)
                return false;
        *ret_offender = (struct offender){
                .raid = raid,
                .moved = (double)raid->bytes_per_sec,
                .since_usec = background->latest->time.realtime_usec,
        };
        while (span_take_word(&members, &member)) {
                const struct disk_rate *disk = disk_named(background->latest, member);
                if (disk && (!ret_offender->disk || disk->busy > ret_offender->disk->busy))
                        ret_offender->disk = disk;
        }
        ret_offender->place = (struct disk_use){ .disks = { ret_offender->disk },
                                                 .count = ret_offender->disk ? 1 : 0,
                                                 .is_known = ret_offender->disk != NULL };
        background_examine_disk(background, ret_offender);
        return true;
}

static void run(const struct check_context *context, struct finding *ret_finding)
{
        struct background background;
        struct offender worst, offender;
        if (background_begin(context, &background, ret_finding) < 0)
                return;
        bool is_any = background_worst(&background, 1u << WORKER_MAINTENANCE | 1u << WORKER_BACKUP, &worst);
        const struct sample *sample = background.latest->sample;
        for (size_t i = 0; i < sample->raid_count; i++) {
                if (!offender_of_raid(&background, &sample->raids[i], &offender) ||
                    (is_any && !background_costs_more(&offender, &worst)))
                        continue;
                worst = offender;
                is_any = true;
        }
        if (!is_any) {
                finding_reason(ret_finding, VERDICT_CLEAR, "no backup, update or scan is at work");
                return;
        }
        background_conclude(&background, &worst, ret_finding);
}

static const char *const explains[] = { "disk.saturated", "cpu.overload", NULL };

const struct check check_background_maintenance = {
        .name = "background.maintenance",
        .title = "Maintenance work gets in the way",
        .message_id = "294a7ead6d3348fdadc6e55a46150432",
        .culprit_kind = SUBJECT_PROGRAM,
        .cause = "Work that a machine does for itself (a backup, an update of packages, a scan for viruses, "
                 "fstrim, the check or rebuild of a RAID array) uses the disk or the CPUs that others need.",
        .meaning =
                "Programs take longer until it is done. Nothing is broken; most of it comes again with the "
                "next run of a timer.",
        .remedy = "Let its timer run when nobody works, or give it idle priority: IOSchedulingClass=idle, "
                  "Nice=19 and a low CPUWeight= in a drop-in for its unit. The work of a RAID array is "
                  "limited by /proc/sys/dev/raid/speed_limit_max. Names that slowd does not know can be "
                  "added in slowd.conf, section [workers].",
        .look_alike = "The same work while nobody waits for it is no cause: what counts is what others wait "
                      "beyond what they always wait.",
        .explains = explains,
        .parameters = background_parameters,
        .run = run,
};
