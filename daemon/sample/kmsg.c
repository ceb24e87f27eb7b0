/* /dev/kmsg: records of the kernel's log. Every read() gives one record and never blocks. */
#include "daemon/sample/kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RETRY_USEC USEC_PER_MINUTE

#define FACILITY_KERNEL 0

void kmsg_init(struct kmsg *kmsg)
{
        kmsg->fd = -1;
        kmsg->is_recorded = kmsg->has_sequence = false;
        kmsg->offset = kmsg->next_sequence = 0;
        kmsg->retry_usec = 0;
        kmsg->error = 0;
}

static void close_log(struct kmsg *kmsg)
{
        if (kmsg->fd >= 0)
                (void)close(kmsg->fd);
        kmsg->fd = -1;
}

void kmsg_done(struct kmsg *kmsg)
{
        close_log(kmsg);
        kmsg_init(kmsg);
}

/* Copies text with its "\x0a" escapes undone; what is then no printable UTF-8 becomes '?', a line break or
 * tab a blank. */
static void copy_text(struct span text, char *buffer, size_t size)
{
        char plain[KMSG_RECORD_MAX];
        size_t length = 0;

        while (text.length > 0 && length < sizeof(plain)) {
                uint64_t value;
                size_t step = 1;
                char c = text.at[0];
                if (c == '\\' && text.length >= 4 && text.at[1] == 'x' &&
                    span_hex((struct span){ text.at + 2, 2 }, &value) == 0) {
                        c = (char)value;
                        step = 4;
                }
                plain[length++] = c == '\n' || c == '\t' || c == '\0' ? ' ' : c;
                text.at += step;
                text.length -= step;
        }
        (void)span_copy((struct span){ plain, length }, buffer, size);
        text_sanitize(buffer, "");
}

/* Linux 6.18: facility and priority, sequence number, microseconds since boot, flags; the text. The line that
 * follows belongs to the machine-readable dictionary:
 *   6,187,255910,-;acpi PNP0A08:00: _OSC: OS supports [ExtendedConfig ASPM ClockPM Segments MSI HPX-Type3]
 *    SUBSYSTEM=acpi */
int kmsg_parse(struct span record, struct kernel_message *ret_message)
{
        struct span line, prefix, priority, sequence, time;
        uint64_t level;

        if (!span_take_line(&record, &line) || !span_take_until(&line, ';', &prefix) ||
            !span_take_until(&prefix, ',', &priority) || !span_take_until(&prefix, ',', &sequence))
                return -EINVAL;
        if (!span_take_until(&prefix, ',', &time)) /* flags came with 3.5, more may follow */
                time = prefix;
        if (span_u64(priority, &level) < 0 || span_u64(sequence, &ret_message->sequence) < 0 ||
            span_u64(time, &ret_message->monotonic_usec) < 0)
                return -EINVAL;
        if (level >> 3 != FACILITY_KERNEL)
                return -ENOMSG;
        ret_message->priority = (int)(level & 7);
        copy_text(line, ret_message->text, sizeof(ret_message->text));
        return 0;
}

/* Lower is more important: the kernel's priority, but that it says at "info" which process it killed for want
 * of memory and for whose sake. */
static int importance(const struct kernel_message *message)
{
        return strncmp(message->text, "oom-kill:", strlen("oom-kill:")) == 0 ? 3 : message->priority;
}

void kmsg_keep(struct sample *sample, const struct kernel_message *message)
{
        if (sample->message_count < KERNEL_MESSAGES_MAX) {
                sample->messages[sample->message_count++] = *message;
                return;
        }
        sample->messages_lost++;
        size_t least = 0;
        for (size_t i = 1; i < KERNEL_MESSAGES_MAX; i++)
                if (importance(&sample->messages[i]) >= importance(&sample->messages[least]))
                        least = i;
        if (importance(message) >= importance(&sample->messages[least]))
                return;
        memmove(&sample->messages[least], &sample->messages[least + 1],
                (KERNEL_MESSAGES_MAX - 1 - least) * sizeof(sample->messages[0]));
        sample->messages[KERNEL_MESSAGES_MAX - 1] = *message;
}

static void take_record(struct kmsg *kmsg, struct span record, struct sample *sample)
{
        struct kernel_message message;
        usec_t now = sample->time.monotonic_usec;

        int r = kmsg_parse(record, &message);
        if (r == -EINVAL)
                return; /* nobody can mend the log; the next record is whole again */
        if (kmsg->has_sequence && message.sequence < kmsg->next_sequence)
                return; /* opened again after an error: seen before */
        if (kmsg->has_sequence && message.sequence > kmsg->next_sequence)
                sample->messages_lost += message.sequence - kmsg->next_sequence;
        kmsg->has_sequence = true;
        kmsg->next_sequence = message.sequence + 1;
        if (r == 0 && (message.monotonic_usec >= now || now - message.monotonic_usec <= KMSG_LOOK_BACK_USEC))
                kmsg_keep(sample, &message);
}

static int read_device(struct kmsg *kmsg, struct sample *sample)
{
        for (size_t i = 0; i < KMSG_RECORDS_PER_TICK; i++) {
                ssize_t length = read(kmsg->fd, kmsg->record, KMSG_RECORD_MAX);
                if (length > 0)
                        take_record(kmsg, (struct span){ kmsg->record, (size_t)length }, sample);
                else if (length == 0 || errno == EAGAIN)
                        return 0;
                else if (errno != EPIPE && errno != EINTR) /* EPIPE: overwritten before we came; the gap in
                                                              the sequence numbers tells how many */
                        return -errno;
        }
        return 0;
}

/* A recorded log grows like any file. Dictionary lines begin with a blank and are no record. */
static int read_recorded(struct kmsg *kmsg, struct sample *sample)
{
        for (size_t i = 0; i < KMSG_RECORDS_PER_TICK; i++) {
                ssize_t length = pread(kmsg->fd, kmsg->record, KMSG_RECORD_MAX, (off_t)kmsg->offset);
                if (length < 0)
                        return -errno;
                struct span text = { kmsg->record, (size_t)length }, line;
                if (!span_take_until(&text, '\n', &line)) {
                        /* The rest of a line is still to be written, unless it is longer than any record. */
                        if (length == KMSG_RECORD_MAX)
                                kmsg->offset += (uint64_t)length;
                        return 0;
                }
                kmsg->offset += line.length + 1;
                if (line.length > 0 && line.at[0] != ' ')
                        take_record(kmsg, line, sample);
        }
        return 0;
}

static int open_log(struct kmsg *kmsg, const struct root *root)
{
        struct stat status;

        kmsg->fd = root_open(root, "dev/kmsg");
        if (kmsg->fd < 0)
                return kmsg->fd;
        if (fstat(kmsg->fd, &status) < 0)
                return -errno;
        kmsg->is_recorded = S_ISREG(status.st_mode);
        if (kmsg->is_recorded)
                return 0;
        /* A device below another root would be this machine's log under another machine's name. */
        if (!root->is_live || !S_ISCHR(status.st_mode))
                return -ENXIO;
        return fcntl(kmsg->fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

int kmsg_collect(struct kmsg *kmsg, const struct root *root, struct sample *sample)
{
        usec_t now = sample->time.monotonic_usec;

        if (kmsg->fd < 0) {
                if (kmsg->error < 0 && now < kmsg->retry_usec)
                        return kmsg->error;
                kmsg->error = open_log(kmsg, root);
        }
        if (kmsg->error == 0)
                kmsg->error = kmsg->is_recorded ? read_recorded(kmsg, sample) : read_device(kmsg, sample);
        if (kmsg->error < 0) {
                close_log(kmsg);
                kmsg->retry_usec = now + RETRY_USEC;
        }
        return kmsg->error;
}
