/* The queue to the journal, its rate, and the entries as sd_journal_sendv() takes them. */
#include "daemon/publish/alerts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "common/log.h"
#include "common/text.h"
#include "daemon/publish/alert.h"

#define JOURNAL_SOCKET    "/run/systemd/journal/socket"
#define ALERT_FIELDS_MAX  12
#define ALERT_FIELD_BYTES (ALERT_MESSAGE_MAX + 64)

struct batch {
        struct alert alerts[ALERTS_QUEUE_MAX];
        size_t count;
};

struct alerts {
        struct batch batches[2]; /* one is filled, the other is being sent */
        unsigned filling;
        bool is_sending, to_journal;
        unsigned tokens;
        usec_t refilled_usec;
        uint64_t dropped;
};

struct alerts *alerts_new(bool to_journal)
{
        struct alerts *alerts = calloc(1, sizeof(*alerts));
        if (!alerts)
                return NULL;
        alerts->to_journal = to_journal;
        alerts->tokens = ALERTS_BURST_MAX;
        return alerts;
}

struct alerts *alerts_free(struct alerts *alerts)
{
        free(alerts);
        return NULL;
}

static bool take_token(struct alerts *alerts, usec_t now_usec)
{
        usec_t due = (now_usec - alerts->refilled_usec) / ALERTS_REFILL_USEC;
        if (alerts->tokens == ALERTS_BURST_MAX)
                alerts->refilled_usec = now_usec;
        else if (due > 0) {
                usec_t missing = ALERTS_BURST_MAX - alerts->tokens;
                alerts->tokens += (unsigned)(due < missing ? due : missing);
                alerts->refilled_usec += due * ALERTS_REFILL_USEC;
        }
        if (alerts->tokens == 0)
                return false;
        alerts->tokens--;
        return true;
}

void alerts_push(struct alerts *alerts, const struct incident_event *events, size_t count,
                 usec_t now_monotonic_usec)
{
        struct batch *batch = &alerts->batches[alerts->filling];
        for (size_t i = 0; i < count; i++) {
                if (batch->count == ALERTS_QUEUE_MAX || !take_token(alerts, now_monotonic_usec)) {
                        alerts->dropped++;
                        continue;
                }
                if (alerts->dropped > 0) {
                        log_warning("%" PRIu64 " alerts were not written: there were too many",
                                    alerts->dropped);
                        alerts->dropped = 0;
                }
                alert_make(&events[i], &batch->alerts[batch->count++]);
        }
}

bool alerts_take(struct alerts *alerts)
{
        if (alerts->is_sending || alerts->batches[alerts->filling].count == 0)
                return false;
        alerts->filling ^= 1U;
        alerts->is_sending = true;
        return true;
}

void alerts_sent(struct alerts *alerts)
{
        alerts->batches[alerts->filling ^ 1U].count = 0;
        alerts->is_sending = false;
}

/* ---- on the worker ---- */

struct entry {
        char text[ALERT_FIELDS_MAX][ALERT_FIELD_BYTES];
        struct iovec fields[ALERT_FIELDS_MAX];
        int count;
};

__attribute__((format(printf, 2, 3))) static void add_field(struct entry *entry, const char *format, ...)
{
        char *text = entry->text[entry->count];
        va_list arguments;
        va_start(arguments, format);
        /* clang-tidy 14 does not see va_start() here. NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
        (void)vsnprintf(text, ALERT_FIELD_BYTES, format, arguments);
        va_end(arguments);
        entry->fields[entry->count++] = (struct iovec){ text, strlen(text) };
}

static int send_to_journal(const struct alert *alert)
{
        struct entry entry = { .count = 0 };
        add_field(&entry, "MESSAGE=%s", alert->message);
        add_field(&entry, "PRIORITY=%d", alert->priority);
        add_field(&entry, "SYSLOG_IDENTIFIER=slowd");
        add_field(&entry, "SLOWD_CHECK=%s", alert->check);
        add_field(&entry, "SLOWD_EVENT=%s", alert->event);
        add_field(&entry, "SLOWD_LOST_PERMILLE=%d", alert->lost_permille);
        add_field(&entry, "SLOWD_SINCE=%s", alert->since);
        if (alert->message_id)
                add_field(&entry, "MESSAGE_ID=%s", alert->message_id);
        /* the catalog names both: without the field journalctl -x would print the field's name */
        add_field(&entry, "SLOWD_CULPRIT=%s", alert->culprit[0] ? alert->culprit : "-");
        add_field(&entry, "SLOWD_VICTIM=%s", alert->victim[0] ? alert->victim : "-");
        if (alert->culprit_unit[0])
                add_field(&entry, "SLOWD_CULPRIT_UNIT=%s", alert->culprit_unit);
        if (alert->culprit_pid > 0)
                add_field(&entry, "SLOWD_CULPRIT_PID=%" PRIu32, alert->culprit_pid);
        return sd_journal_sendv(entry.fields, entry.count);
}

void alerts_send(struct alerts *alerts)
{
        const struct batch *batch = &alerts->batches[alerts->filling ^ 1U];
        for (size_t i = 0; i < batch->count; i++) {
                const struct alert *alert = &batch->alerts[i];
                /* sd_journal_sendv() says nothing if there is no journal */
                if (!alerts->to_journal || access(JOURNAL_SOCKET, F_OK) < 0 || send_to_journal(alert) < 0)
                        log_line(alert->priority, "%s", alert->message);
        }
}
