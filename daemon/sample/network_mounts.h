/* Network mounts and FUSE: how they answer and who waits for them. A thread of its own looks, and it looks at
 * the kernel's books only, never at a mount: a server that does not answer holds up nobody here. */
#pragma once

#include "daemon/clock.h"
#include "daemon/root.h"
#include "daemon/sample/sample.h"

struct network_mounts;

/* root and clock must outlive it. 0 or negative errno. */
int network_mounts_new(const struct root *root, const struct clock *clock,
                       struct network_mounts **ret_mounts);
struct network_mounts *network_mounts_free(struct network_mounts *mounts); /* returns NULL; accepts NULL */
/* Points the sample's network_mounts and mount_users at what was last seen; valid until the second call
 * after. 0; the error of the last look; -ETIMEDOUT while one hangs. */
int network_mounts_collect(struct network_mounts *mounts, struct sample *sample);
