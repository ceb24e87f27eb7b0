/* What mount.slow and mount.hung share: the words for a mount, and which programs wait for it. */
#pragma once

#include "daemon/checks/blame.h"
#include "daemon/checks/filling.h"

#define MOUNT_USES_MAX 8

/* A program as the user of one mount. */
struct mount_use {
        struct family family;          /* means over the window */
        char directory[PATH_TEXT_MAX]; /* of the process that waits most; "" unknown */
        usec_t longest_usec;           /* of its present waits */
        uint32_t waiting;              /* tasks that wait now */
};

/* Whether the sources of network mounts could be read; if not, says so in the finding. */
bool mounts_are_known(const struct snapshot *latest, struct finding *finding);
/* Its mount point; "?" if it is gone. */
const char *mount_path(const struct mount_rate *mount);
/* The host that serves it, as far as its source tells ("files" of "me@files:/export"); "" none. */
#define MOUNT_SERVER_MAX 64
const char *mount_server(char buffer[static MOUNT_SERVER_MAX], const struct mount_rate *mount);
/* What the kernel itself says of a server ("nfs: server files not responding, still trying", "... OK"; "CIFS:
 * VFS: \\files has not responded in 180 seconds. Reconnecting..."); NULL nothing, or that it is back. */
const struct kernel_message *mount_complaint(const struct history *history, const char *server);
/* "the network mount /mnt/x of files", "/mnt/x (fuse.foo)". */
const char *mount_words(char buffer[static FINDING_TEXT_MAX], const struct mount_rate *mount);
/* The programs that were seen to wait for the mount, the one that waits most first. Kernel threads and slowd
 * are left out, batch work as well unless asked for. Returns how many. */
size_t mount_uses(const struct history *history, const struct mount_rate *mount, usec_t window_usec,
                  bool with_batch, struct mount_use ret_uses[static MOUNT_USES_MAX]);
/* The mount as culprit. */
struct subject subject_of_mount(const struct snapshot *latest, const struct mount_rate *mount);
/* Victims, their evidence, and what they lose together: fills victims, lost_permille and confidence. */
void mount_add_victims(const struct history *history, const struct mount_use *uses, size_t count,
                       struct finding *finding);
