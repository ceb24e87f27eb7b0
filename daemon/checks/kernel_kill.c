/* Reads the out-of-memory killer's messages. */
#include "daemon/checks/kernel_kill.h"

#include <string.h>

#include "common/text.h"

static bool after(const char *text, const char *mark, struct span *ret_rest)
{
        const char *at = strstr(text, mark);
        if (!at)
                return false;
        *ret_rest = span_of(at + strlen(mark));
        return true;
}

/* 6.1: "Memory cgroup out of memory: Killed process 4242 (eater) total-vm:217600kB, anon-rss:65000kB,
 * file-rss:..." 6.1: "Out of memory: Killed process 812 (Web Content) total-vm:..." Names hold blanks and
 * parentheses: the last ')' before " total-vm:" ends them. */
static bool parse_killed(const char *text, struct kernel_kill *kill)
{
        struct span rest, part;
        uint64_t pid, kib;
        if (!after(text, "Killed process ", &rest) || !span_take_until(&rest, ' ', &part) ||
            span_u64(part, &pid) < 0 || pid == 0 || pid > UINT32_MAX)
                return false;
        const char *end = NULL;
        for (const char *at = rest.at; (at = strstr(at, ") total-vm:")); at++)
                end = at;
        if (rest.length == 0 || rest.at[0] != '(' || !end)
                return false;
        kill->pid = (uint32_t)pid;
        (void)span_copy((struct span){ rest.at + 1, (size_t)(end - rest.at - 1) }, kill->name,
                        sizeof(kill->name));
        if (after(end, "anon-rss:", &rest) && span_take_until(&rest, 'k', &part) && span_u64(part, &kib) == 0)
                kill->anon_bytes = kib * 1024;
        kill->is_limit = strstr(text, "Memory cgroup out of memory") != NULL;
        return true;
}

/* 6.1:
 * "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/system.slice/a.service,
 *       task_memcg=/system.slice/a.service,task=eater,pid=4242,uid=0": comes right before the line above. */
static void parse_summary(const char *text, struct kernel_kill *kills, size_t count)
{
        struct span rest, path, part;
        uint64_t pid;
        if (!after(text, ",pid=", &rest) || !span_take_until(&rest, ',', &part) || span_u64(part, &pid) < 0)
                return;
        if (!after(text, "task_memcg=", &rest) || !span_take_until(&rest, ',', &path))
                return;
        while (span_take_until(&path, '/', &part))
                ;
        for (size_t i = 0; i < count; i++) {
                if (kills[i].pid != pid)
                        continue;
                (void)span_copy(path, kills[i].group, sizeof(kills[i].group));
                kills[i].is_limit |= strstr(text, "CONSTRAINT_MEMCG") != NULL;
        }
}

size_t kernel_kills(const struct history *history, usec_t window_usec, struct kernel_kill *ret_kills,
                    size_t max)
{
        usec_t now_usec = history_latest(history)->time.realtime_usec;
        const struct kernel_message *message;
        usec_t at_usec;
        size_t count = 0;
        for (size_t i = 0; (message = history_kill_message(history, i, &at_usec)); i++) {
                struct kernel_kill kill = { .anon_bytes = ABSENT };
                if (at_usec + window_usec < now_usec)
                        break;
                /* At the start: a program may call itself anything. */
                if (span_starts(span_of(message->text), "oom-kill:")) {
                        parse_summary(message->text, ret_kills, count);
                } else if (count < max && parse_killed(message->text, &kill)) {
                        kill.at_usec = at_usec;
                        ret_kills[count++] = kill;
                }
        }
        return count;
}
