/* Peer credentials. */
#include "daemon/serve/peer.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"

#ifndef SO_PEERGROUPS /* Linux 4.13; not in the headers of every libc */
#define SO_PEERGROUPS 59
#endif

#define GROUPS_USUAL 64

void peer_policy_init(struct peer_policy *policy)
{
        const struct group *group = getgrnam(SLOWD_GROUP);
        *policy = (struct peer_policy){ .own_uid = geteuid(), .group = group ? group->gr_gid : (gid_t)-1 };
}

/* Whether the peer was in the group when it connected. A peer whose groups cannot be read is in none. */
static bool peer_is_in_group(int fd, gid_t group)
{
        gid_t usual[GROUPS_USUAL];
        CLEANUP_FREE gid_t *many = NULL;
        gid_t *groups = usual;
        socklen_t length = sizeof(usual);
        int r = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length);
        if (r < 0 && errno == ERANGE && length <= PEER_GROUPS_MAX * sizeof(gid_t)) {
                groups = many = malloc(length); /* the kernel has told how long the list is */
                if (!many)
                        return false;
                r = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length);
        }
        if (r < 0)
                return false;
        for (size_t i = 0; i < length / sizeof(gid_t); i++)
                if (groups[i] == group)
                        return true;
        return false;
}

int peer_viewer(int fd, const struct peer_policy *policy, struct viewer *ret_viewer)
{
        struct ucred peer;
        socklen_t length = sizeof(peer);
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
                return -errno;
        bool is_member = policy->group != (gid_t)-1 &&
                         (peer.gid == policy->group || peer_is_in_group(fd, policy->group));
        *ret_viewer = (struct viewer){ .sees_all = peer.uid == 0 || peer.uid == policy->own_uid || is_member,
                                       .uid = peer.uid };
        return 0;
}
