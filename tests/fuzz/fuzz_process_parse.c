/* The files of /proc/PID: the first byte chooses the parser. What it takes in must be within bounds. */
#include <stdlib.h>
#include <string.h>

#include "daemon/sample/cgroup_path.h"
#include "daemon/sample/process_parse.h"
#include "daemon/sample/process_servers.h"
#include "daemon/sample/process_users.h"

static void require(bool holds)
{
        if (!holds)
                abort();
}

static void parse(char which, const char *text)
{
        switch (which) {
        case 's': {
                struct process_stat stat;
                if (process_parse_stat(text, &stat) == 0)
                        require(stat.pid > 0 && stat.nice >= -20 && stat.nice <= 19 && stat.comm.at > text &&
                                stat.comm.length < strlen(text));
                break;
        }
        case 'm': {
                struct process_statm statm;
                (void)process_parse_statm(text, &statm);
                break;
        }
        case 'i': {
                struct process_io io;
                (void)process_parse_io(text, &io);
                break;
        }
        case 't': {
                struct process_status status;
                (void)process_parse_status(text, &status);
                break;
        }
        case 'd': {
                struct process_schedstat schedstat;
                (void)process_parse_schedstat(text, &schedstat);
                break;
        }
        case 'a': {
                uint64_t number;
                int8_t nice;
                if (process_parse_autogroup(text, &number, &nice) == 0)
                        require(nice >= -20 && nice <= 19);
                break;
        }
        case 'g': {
                struct cgroup_membership membership;
                if (cgroup_parse_proc(text, &membership) == 0)
                        require(strlen(membership.unit) < UNIT_NAME_MAX &&
                                (membership.id != 0 || membership.unit[0] == '\0'));
                break;
        }
        case 'u': {
                struct process_user user;
                if (process_users_parse(span_of(text), &user) == 0)
                        require(user.name[0] != '\0');
                break;
        }
        case 'n':
        case 'x': {
                uint64_t inode;
                (void)process_servers_parse(span_of(text), which == 'x', &inode);
                break;
        }
        default:
                break;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0)
                return 0;
        char *text = malloc(size); /* of its own, so that a read beyond the end is seen */
        if (!text)
                return 0;
        memcpy(text, data + 1, size - 1);
        text[size - 1] = '\0';
        parse((char)data[0], text);
        free(text);
        return 0;
}
