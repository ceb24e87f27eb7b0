/* PSI triggers. */
#include "daemon/pressure_trigger.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/text.h"

/* 150 ms lost within a second. Without CAP_SYS_RESOURCE only windows of a multiple of 2 s are allowed (since
 * 6.5; before, none): the same share of a longer window. Below 15 % nobody feels it; above it, whether anyone
 * suffers is for the checks to say: this only makes us look. */
static const char *const thresholds[] = { "some 150000 1000000", "some 300000 2000000" };

int pressure_trigger_open(const struct root *root, const char *resource)
{
        if (!root->is_live)
                return -EOPNOTSUPP;
        char path[32];
        text_format(path, sizeof(path), "proc/pressure/%s", resource);
        int r = -EOPNOTSUPP;
        for (size_t i = 0; i < sizeof(thresholds) / sizeof(thresholds[0]); i++) {
                CLEANUP_CLOSE int fd = root_open_trigger(root, path);
                if (fd < 0)
                        return fd;
                /* with its NUL: the kernel takes the last byte written for the terminator */
                if (write(fd, thresholds[i], strlen(thresholds[i]) + 1) >= 0)
                        return take_fd(&fd);
                r = -errno;
        }
        return r;
}
