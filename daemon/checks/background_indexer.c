/* background.indexer: a program that indexes files gets in the way of others. One that runs while nobody
 * waits, at idle priority or at night, does its work. */
#include "daemon/checks/background.h"

static void run(const struct check_context *context, struct finding *ret_finding)
{
        struct background background;
        struct offender offender;
        if (background_begin(context, &background, ret_finding) < 0)
                return;
        if (!background_worst(&background, 1u << WORKER_INDEXER, &offender)) {
                finding_reason(ret_finding, VERDICT_CLEAR, "no file indexer is at work");
                return;
        }
        background_conclude(&background, &offender, ret_finding);
}

static const char *const explains[] = { "disk.saturated", "cpu.overload", NULL };

const struct check check_background_indexer = {
        .name = "background.indexer",
        .title = "A file indexer gets in the way",
        .message_id = "36fadb690d294c7eb80ba99df41e294c",
        .culprit_kind = SUBJECT_PROGRAM,
        .cause = "A program that goes through all files, so that they can be found faster later (updatedb, "
                 "tracker, baloo, recoll, mandb), reads the disk in many small steps. Programs that need the "
                 "disk meanwhile queue behind it.",
        .meaning =
                "Whatever reads or writes files takes longer until it is done. Nothing is broken; it comes "
                "again with the next run of its timer.",
        .remedy =
                "Let its timer run when nobody works, leave out directories that nobody searches, or give it "
                "idle priority: IOSchedulingClass=idle and Nice=19 in a drop-in for its unit. Names that "
                "slowd does not know can be added in slowd.conf, section [workers]; a program of another "
                "name is found too if it is seen going from directory to directory.",
        .look_alike = "The same indexer at idle priority, or while nobody else needs the disk, is no cause: "
                      "what counts is what others wait beyond what they always wait.",
        .explains = explains,
        .parameters = background_parameters,
        .run = run,
};
