/* Who is at the other end of a socket, and what they may see. The kernel says so (SO_PEERCRED,
 * SO_PEERGROUPS), once per connection; nothing that a client sends counts. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "daemon/diagnosis/diagnosis_json.h"

#define SLOWD_GROUP     "slowd"
#define PEER_GROUPS_MAX 65536 /* the kernel's NGROUPS_MAX */

/* Who sees everything besides root. Looked up at start and on reload, since a name service may be slow. */
struct peer_policy {
        uid_t own_uid;
        gid_t group; /* (gid_t)-1: there is no such group */
};

void peer_policy_init(struct peer_policy *policy);
/* Of a connected socket. 0, or negative errno. */
int peer_viewer(int fd, const struct peer_policy *policy, struct viewer *ret_viewer);
