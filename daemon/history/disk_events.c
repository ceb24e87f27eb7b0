/* A dying disk says the same thing a thousand times; its file system's one last word must not be lost in it.
 */
#include "daemon/history/disk_events.h"

#include <string.h>

#include "common/text.h"
#include "daemon/history/dates.h"

#define MERGE_USEC USEC_PER_MINUTE

static bool has_word(const char *words, const char *word)
{
        size_t length = strlen(word);
        for (const char *at = words; (at = strstr(at, word)); at += length)
                if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
                        return true;
        return false;
}

/* "nvme0" is the controller of nvme0n1; with more than one way to it /sys does not show that. */
static bool is_of_controller(const char *name, const char *controller)
{
        size_t length = strlen(controller);
        return strncmp(controller, "nvme", 4) == 0 && strncmp(name, controller, length) == 0 &&
               name[length] == 'n' && name[length + 1] >= '0' && name[length + 1] <= '9';
}

static bool is_it(const struct disk_sample *disk, const char *device)
{
        return strcmp(disk->name, device) == 0 ||
               (!disk->is_partition &&
                (has_word(disk->address, device) || is_of_controller(disk->name, device)));
}

static const struct disk_sample *find_disk(const struct sample *sample, const char *device)
{
        for (size_t i = 0; i < sample->disk_count; i++)
                if (is_it(&sample->disks[i], device))
                        return &sample->disks[i];
        return NULL;
}

static void note_removables(struct disk_events *events, const struct sample *sample)
{
        for (size_t i = 0; i < sample->disk_count; i++) {
                const struct disk_sample *disk = &sample->disks[i];
                if (!disk->is_removable)
                        continue;
                size_t at = 0;
                for (size_t k = 0; k < DISK_REMOVABLES_MAX; k++) {
                        if (strcmp(events->removables[k].name, disk->name) == 0) {
                                at = k;
                                break;
                        }
                        if (events->removables[k].seen_usec < events->removables[at].seen_usec)
                                at = k;
                }
                memcpy(events->removables[at].name, disk->name, sizeof(disk->name));
                memcpy(events->removables[at].address, disk->address, sizeof(disk->address));
                events->removables[at].seen_usec = sample->time.monotonic_usec;
        }
}

static void name_device(const struct disk_events *events, const struct sample *sample, const char *device,
                        struct disk_event *event)
{
        const struct disk_sample *disk = find_disk(sample, device);
        (void)span_copy(span_of(device), event->device, sizeof(event->device));
        if (disk) {
                memcpy(event->device, disk->name, sizeof(event->device));
                event->is_removable = disk->is_removable;
                event->is_named = true;
                return;
        }
        for (size_t k = 0; k < DISK_REMOVABLES_MAX; k++) {
                if (!events->removables[k].seen_usec || (strcmp(events->removables[k].name, device) != 0 &&
                                                         !has_word(events->removables[k].address, device)))
                        continue;
                memcpy(event->device, events->removables[k].name, sizeof(event->device));
                event->is_removable = event->is_named = true;
        }
}

static struct disk_event *find_same(struct disk_events *events, const struct disk_event *event)
{
        for (uint32_t age = 0; age < events->count; age++) {
                struct disk_event *other =
                        &events->events[(events->next + DISK_EVENTS_MAX - 1 - age) % DISK_EVENTS_MAX];
                if (other->kind == event->kind && event->first_usec >= other->first_usec &&
                    event->first_usec - other->first_usec < MERGE_USEC &&
                    strcmp(other->device, event->device) == 0)
                        return other;
        }
        return NULL;
}

static void push_message(struct disk_events *events, const struct sample *sample,
                         const struct kernel_message *message)
{
        struct disk_message parsed;
        if (!disk_message_parse(message->text, &parsed))
                return;
        usec_t realtime_usec = date_of(&sample->time, message->monotonic_usec);
        struct disk_event event = { .kind = parsed.kind,
                                    .count = 1,
                                    .first_usec = message->monotonic_usec,
                                    .last_usec = message->monotonic_usec,
                                    .first_realtime_usec = realtime_usec,
                                    .last_realtime_usec = realtime_usec };
        name_device(events, sample, parsed.device, &event);
        struct disk_event *same = find_same(events, &event);
        if (!same) {
                same = &events->events[events->next];
                *same = event;
                memcpy(same->text, message->text, sizeof(same->text));
                events->next = (events->next + 1) % DISK_EVENTS_MAX;
                if (events->count < DISK_EVENTS_MAX)
                        events->count++;
        } else {
                same->count++;
                if (event.last_usec > same->last_usec) {
                        same->last_usec = event.last_usec;
                        same->last_realtime_usec = realtime_usec;
                }
        }
        if (parsed.program[0])
                memcpy(same->program, parsed.program, sizeof(same->program));
}

void disk_events_push(struct disk_events *events, const struct sample *sample)
{
        note_removables(events, sample);
        for (size_t i = 0; i < sample->message_count; i++)
                push_message(events, sample, &sample->messages[i]);
}

void disk_events_set_clock(struct disk_events *events, int64_t step_usec)
{
        for (uint32_t i = 0; i < events->count; i++) {
                struct disk_event *event = &events->events[i];
                event->first_realtime_usec = date_moved(event->first_realtime_usec, step_usec);
                event->last_realtime_usec = date_moved(event->last_realtime_usec, step_usec);
        }
}

const struct disk_event *disk_events_get(const struct disk_events *events, size_t index, usec_t now_usec,
                                         usec_t span_usec)
{
        if (index >= events->count)
                return NULL;
        const struct disk_event *event =
                &events->events[(events->next + DISK_EVENTS_MAX - 1 - index) % DISK_EVENTS_MAX];
        return event->last_usec >= now_usec || now_usec - event->last_usec <= span_usec ? event : NULL;
}
