/* Names of kernel functions, 5.10 to 6.18. A FUSE server waiting for work (fuse_dev_do_read) and the kernel's
 * own NFS server (svc_recv, nfsd) wait for nobody's answer. */
#include "daemon/sample/mount_channel.h"

#include <string.h>

struct known_channel {
        const char *prefix;
        enum mount_channel channel;
        enum mount_kind kind;
};

/* In this order: what is left out comes before the family that it would belong to. */
static const struct known_channel known[] = {
        { "fuse_dev", CHANNEL_NONE, MOUNT_OTHER },
        { "fuse_uring", CHANNEL_NONE, MOUNT_OTHER },
        { "request_wait_answer", CHANNEL_REQUEST, MOUNT_FUSE },
        { "fuse_", CHANNEL_REQUEST, MOUNT_FUSE },
        { "__fuse_", CHANNEL_REQUEST, MOUNT_FUSE },
        { "virtio_fs", CHANNEL_REQUEST, MOUNT_FUSE },
        { "wait_on_commit", CHANNEL_REQUEST, MOUNT_NFS },
        { "nfsd", CHANNEL_NONE, MOUNT_OTHER },
        { "nfs4_callback", CHANNEL_NONE, MOUNT_OTHER },
        { "nfs41_callback", CHANNEL_NONE, MOUNT_OTHER },
        { "nfs4_run_state_manager", CHANNEL_NONE, MOUNT_OTHER },
        { "rpc_async", CHANNEL_NONE, MOUNT_OTHER },
        { "rpc_", CHANNEL_REQUEST, MOUNT_NFS },
        { "__rpc_", CHANNEL_REQUEST, MOUNT_NFS },
        { "nfs", CHANNEL_REQUEST, MOUNT_NFS },
        { "__nfs", CHANNEL_REQUEST, MOUNT_NFS },
        { "cifs_demultiplex", CHANNEL_NONE, MOUNT_OTHER },
        { "cifs_", CHANNEL_REQUEST, MOUNT_CIFS },
        { "__cifs_", CHANNEL_REQUEST, MOUNT_CIFS },
        { "smb2_", CHANNEL_REQUEST, MOUNT_CIFS },
        { "wait_for_response", CHANNEL_REQUEST, MOUNT_CIFS },
        { "wait_for_free_", CHANNEL_REQUEST, MOUNT_CIFS },
        { "p9_", CHANNEL_REQUEST, MOUNT_OTHER },
        { "v9fs_", CHANNEL_REQUEST, MOUNT_OTHER },
        { "ceph_", CHANNEL_REQUEST, MOUNT_OTHER },
        { "afs_", CHANNEL_REQUEST, MOUNT_OTHER },
        { "netfs_", CHANNEL_PAGE, MOUNT_OTHER },
        { "folio_wait", CHANNEL_PAGE, MOUNT_OTHER },
        { "__folio_lock", CHANNEL_PAGE, MOUNT_OTHER },
        { "wait_on_page", CHANNEL_PAGE, MOUNT_OTHER },
        { "__lock_page", CHANNEL_PAGE, MOUNT_OTHER },
        { "rwsem_down_", CHANNEL_LOCK, MOUNT_OTHER },
        { "d_alloc_parallel", CHANNEL_LOCK, MOUNT_OTHER },
        { "__mutex_lock", CHANNEL_LOCK, MOUNT_OTHER },
};

enum mount_channel mount_channel_of(const char *channel, enum mount_kind *ret_kind)
{
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (strncmp(channel, known[i].prefix, strlen(known[i].prefix)) == 0) {
                        *ret_kind = known[i].kind;
                        return known[i].channel;
                }
        *ret_kind = MOUNT_OTHER;
        return CHANNEL_NONE;
}
