/* What a check concludes, and what the diagnosis is made of. Plain values without pointers to anything that
 * dies with a tick, so a finished diagnosis can be handed to another thread by copying. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/usec.h"
#include "daemon/sample/sample.h"

#define SUBJECT_PIDS_MAX     32
#define SUBJECT_NAME_MAX     128
#define FINDING_VICTIMS_MAX  6
#define FINDING_EVIDENCE_MAX 8
#define FINDING_REMEDIES_MAX 5
#define FINDING_TEXT_MAX     320
#define REASON_TEXT_MAX      200

enum verdict {
        VERDICT_UNKNOWN, /* could not be examined; finding.summary says why */
        VERDICT_CLEAR,   /* ruled out; finding.summary holds the value that rules it out */
        VERDICT_FOUND,
};

enum severity { SEVERITY_NOTICE, SEVERITY_WARNING, SEVERITY_CRITICAL };

/* Whether a finding hurts now or will. */
enum finding_kind { FINDING_CAUSE, FINDING_RISK };

enum subject_kind {
        SUBJECT_NONE,
        SUBJECT_PROGRAM,
        SUBJECT_PROCESS,
        SUBJECT_UNIT,
        SUBJECT_FILE,
        SUBJECT_DISK,
        SUBJECT_MOUNT,
        SUBJECT_INTERFACE,
        SUBJECT_PEER,
        SUBJECT_DEVICE,
        SUBJECT_SETTING,
        SUBJECT_MACHINE,
        SUBJECT_KIND_MAX
};

struct origin_step {
        char name[PROGRAM_NAME_MAX];
        uint32_t pid;
        uint32_t uid;
        char command_line[COMMAND_LINE_MAX]; /* "" if unknown or the process is gone */
};

struct origin {
        struct origin_step chain[ORIGIN_CHAIN_MAX]; /* outermost (cron, sshd) first */
        uint32_t chain_length;
        char script[PATH_TEXT_MAX];
        char working_directory[PATH_TEXT_MAX];
};

struct subject {
        enum subject_kind kind;
        char name[SUBJECT_NAME_MAX];
        uint64_t id;    /* program.id, where it is one */
        uint32_t count; /* processes; 0 where it makes no sense */
        uint32_t pids[SUBJECT_PIDS_MAX];
        uint32_t pid_count;
        uint32_t uid; /* owner of what command_line shows */
        char unit[UNIT_NAME_MAX];
        char user[USER_NAME_MAX];
        char command_line[COMMAND_LINE_MAX];
        int32_t lost_permille; /* share of the time it wanted to work that it lost to the cause; -1 unknown */
};

struct evidence {
        char name[32]; /* "cpu.waiting" */
        int64_t value;
        char unit[16];     /* "permille", "bytes", "bytesPerSecond", "perSecond", "count", "usec" */
        int64_t threshold; /* INT64_MIN: none */
        int64_t usual;     /* INT64_MIN: not known */
        char text[FINDING_TEXT_MAX];
};

struct remedy {
        char text[FINDING_TEXT_MAX];
        char command[FINDING_TEXT_MAX]; /* something that can be typed; "" if none */
};

struct finding {
        const char *check; /* static: the check's name */
        enum verdict verdict;
        enum finding_kind kind;
        enum severity severity;
        usec_t since_usec; /* realtime */
        int32_t lost_permille;
        int32_t confidence_permille;
        char summary[FINDING_TEXT_MAX]; /* found: a sentence; clear and unknown: the reason */
        struct subject culprit;
        char device[DEVICE_NAME_MAX]; /* the disk that this is about; "" if none, or if the culprit says it */
        bool has_origin;
        struct origin origin; /* what started the culprit */
        struct subject victims[FINDING_VICTIMS_MAX];
        uint32_t victim_count;
        struct evidence evidence[FINDING_EVIDENCE_MAX];
        uint32_t evidence_count;
        struct remedy remedies[FINDING_REMEDIES_MAX];
        uint32_t remedy_count;
        bool takes_memory;   /* that of the whole machine: whoever lacks memory lacks it because of this */
        const char *because; /* static: the check that explains this one; NULL for a root */
};
