/* Kernel messages about disks: bad input first, then each form as current kernels print it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "daemon/sample/disk_message.h"

static void assert_none(const char *text)
{
        struct disk_message message;
        if (disk_message_parse(text, &message))
                fail_msg("taken for one of %s: %s", message.device, text);
}

static void test_none(void **state)
{
        (void)state;
        assert_none("");
        assert_none("I/O error");
        assert_none("I/O error, dev ");
        assert_none("I/O error, dev sda");
        assert_none("I/O error, dev sda, block 5");
        assert_none("I/O error, dev , sector 5");
        assert_none("I/O error, dev -rf, sector 5");
        assert_none("I/O error, dev sda;reboot, sector 5");
        assert_none("I/O error, dev $(reboot), sector 5");
        assert_none("I/O error, dev a-name-that-is-longer-than-any-device-has, sector 5");
        assert_none("Buffer I/O error on dev ");
        assert_none("EXT4-fs error (device ");
        assert_none("EXT4-fs error (device loop0");
        assert_none("BTRFS error (device sdb1");
        assert_none("md/raid1:md0: Disk failure on ");
        assert_none("sd : rejecting I/O to offline device");
        assert_none("ata: exception Emask 0x0");
        assert_none("nvme nvme0");
        assert_none("Aborting journal on device sda1-8");
}

/* Messages that look alike and mean no sick disk. */
static void test_look_alikes(void **state)
{
        (void)state;
        assert_none("operation not supported error, dev loop0, sector 0 op 0x9:(WRITE_ZEROES) flags 0x800 "
                    "phys_seg 0 prio class 2");
        assert_none(
                "critical target error, dev sdb, sector 2048 op 0x3:(DISCARD) flags 0x800 phys_seg 1 prio "
                "class 2");
        assert_none("I/O error, dev sdb, sector 2048 op 0x3:(DISCARD) flags 0x800 phys_seg 1 prio class 2");
        assert_none("critical space allocation error, dev dm-3, sector 2048 op 0x1:(WRITE) flags 0x0");
        assert_none("I/O error, dev sr0, sector 0 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 2");
        assert_none("I/O error, dev fd0, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2");
        assert_none("Buffer I/O error on dev sr0, logical block 0, async page read");
        assert_none("EXT4-fs (dm-0): error count since last fsck: 12");
        assert_none("EXT4-fs (dm-0): initial error at time 1700000000: ext4_find_entry:1455: inode 2");
        assert_none("EXT4-fs (dm-0): last error at time 1700000000: ext4_find_entry:1455: inode 2");
        assert_none("EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: errors=remount-ro");
        assert_none(
                "EXT4-fs warning (device sda1): ext4_resize_begin:83: There are errors in the filesystem");
        assert_none("BTRFS info (device sdb1): bdev /dev/sdb1 errs: wr 0, rd 2, flush 0, corrupt 0, gen 0");
        assert_none("BTRFS error (device loop0): open_ctree failed: -22");
        assert_none("FAT-fs (sdb1): Volume was not properly unmounted. Some data may be corrupt. Please run "
                    "fsck.");
        assert_none("ata3: SATA link up 6.0 Gbps (SStatus 133 SControl 300)");
        assert_none("ata3: hard resetting link");
        assert_none("nvme nvme0: 8/0/0 default/read/poll queues");
        assert_none("nvme nvme0: I/O timeouts are counted");
        assert_none("sd 2:0:0:0: [sda] Attached SCSI disk");
        assert_none("XFS (sda1): Mounting V5 Filesystem");
        /* a program may call itself anything */
        assert_none("x: I/O error, dev sda, sector 5[812]: segfault at 0 ip 0000");
        assert_none("I/O error in my program, dev sda, sector 5");
}

static void assert_one(const char *text, enum disk_message_kind kind, const char *device, const char *program)
{
        struct disk_message message;
        if (!disk_message_parse(text, &message))
                fail_msg("not understood: %s", text);
        if (message.kind != kind || strcmp(message.device, device) != 0 ||
            strcmp(message.program, program) != 0)
                fail_msg("kind %d of %s by \"%s\": %s", message.kind, message.device, message.program, text);
}

static void test_blocks(void **state)
{
        (void)state;
        /* 6.1 (scsi_debug), 5.10, 4.19 */
        assert_one(
                "critical medium error, dev sda, sector 4656 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2",
                DISK_MESSAGE_IO_ERROR, "sda", "");
        assert_one(
                "blk_update_request: I/O error, dev nvme0n1, sector 8 op 0x1:(WRITE) flags 0x800 phys_seg 1 "
                "prio class 0",
                DISK_MESSAGE_IO_ERROR, "nvme0n1", "");
        assert_one("print_req_error: I/O error, dev sdb, sector 123456", DISK_MESSAGE_IO_ERROR, "sdb", "");
        assert_one("timeout error, dev mmcblk0, sector 0 op 0x0:(READ) flags 0x0", DISK_MESSAGE_IO_ERROR,
                   "mmcblk0", "");
        assert_one("Buffer I/O error on dev dm-0, logical block 33, async page read", DISK_MESSAGE_IO_ERROR,
                   "dm-0", "");
        assert_one("Buffer I/O error on dev sda1, logical block 7, lost async page write",
                   DISK_MESSAGE_LOST_WRITE, "sda1", "");
        assert_one("Buffer I/O error on device sda1, logical block 7", DISK_MESSAGE_IO_ERROR, "sda1", "");
}

static void test_file_systems(void **state)
{
        (void)state;
        /* 6.18, written by trigger_fs_error */
        assert_one("EXT4-fs error (device loop0): trigger_test_error:129: comm bash: test",
                   DISK_MESSAGE_FILE_SYSTEM, "loop0", "bash");
        assert_one("EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2: comm Web Content: reading "
                   "directory lblock 0",
                   DISK_MESSAGE_FILE_SYSTEM, "sda1", "Web Content");
        assert_one("EXT4-fs error (device loop0) in ext4_reserve_inode_write:5900: Journal has aborted",
                   DISK_MESSAGE_FILE_SYSTEM, "loop0", "");
        assert_one("EXT4-fs (loop0): Remounting filesystem read-only", DISK_MESSAGE_READ_ONLY, "loop0", "");
        assert_one("EXT4-fs (dm-0): I/O error while writing superblock", DISK_MESSAGE_FILE_SYSTEM, "dm-0",
                   "");
        assert_one(
                "EXT4-fs warning (device dm-0): ext4_end_bio:343: I/O error 10 writing to inode 12 starting "
                "block 33281)",
                DISK_MESSAGE_LOST_WRITE, "dm-0", "");
        assert_one("Aborting journal on device dm-0-8.", DISK_MESSAGE_FILE_SYSTEM, "dm-0", "");
        assert_one("XFS (dm-0): log I/O error -5", DISK_MESSAGE_FILE_SYSTEM, "dm-0", "");
        assert_one(
                "XFS (dm-0): metadata I/O error in \"xfs_imap_to_bp+0x50/0x70 [xfs]\" at daddr 0x40 len 32 "
                "error 5",
                DISK_MESSAGE_FILE_SYSTEM, "dm-0", "");
        assert_one("XFS (dm-0): Filesystem has been shut down due to log error (0x2).",
                   DISK_MESSAGE_READ_ONLY, "dm-0", "");
        assert_one("BTRFS error (device sdb1): bdev /dev/sdb1 errs: wr 0, rd 1, flush 0, corrupt 0, gen 0",
                   DISK_MESSAGE_FILE_SYSTEM, "sdb1", "");
        assert_one(
                "BTRFS error (device sdb1: state EA): bdev /dev/sdb1 errs: wr 9, rd 1, flush 0, corrupt 0, "
                "gen 0",
                DISK_MESSAGE_FILE_SYSTEM, "sdb1", "");
        assert_one("BTRFS: error (device sdb1) in btrfs_commit_transaction:2418: errno=-5 IO failure",
                   DISK_MESSAGE_FILE_SYSTEM, "sdb1", "");
        assert_one("BTRFS info (device sdb1: state E): forced readonly", DISK_MESSAGE_READ_ONLY, "sdb1", "");
        assert_one("FAT-fs (sdb1): error, fat_get_cluster: invalid cluster chain (i_pos 12)",
                   DISK_MESSAGE_FILE_SYSTEM, "sdb1", "");
        assert_one("FAT-fs (sdb1): Filesystem has been set read-only", DISK_MESSAGE_READ_ONLY, "sdb1", "");
}

static void test_links(void **state)
{
        (void)state;
        assert_one("ata3.00: exception Emask 0x0 SAct 0x10 SErr 0x0 action 0x6 frozen", DISK_MESSAGE_LINK,
                   "ata3", "");
        assert_one("nvme nvme0: I/O 12 QID 3 timeout, aborting", DISK_MESSAGE_LINK, "nvme0", "");
        assert_one("nvme nvme0: I/O tag 5 (1005) opcode 0x2 (I/O Cmd) QID 1 timeout, aborting req_op:READ(0) "
                   "size:4096",
                   DISK_MESSAGE_LINK, "nvme0", "");
        assert_one("nvme nvme0: controller is down; will reset: CSTS=0x3, PCI_STATUS=0x10", DISK_MESSAGE_LINK,
                   "nvme0", "");
        assert_one("nvme nvme0: Disabling device after reset failure: -19", DISK_MESSAGE_OFFLINE, "nvme0",
                   "");
        assert_one("sd 2:0:0:0: rejecting I/O to offline device", DISK_MESSAGE_OFFLINE, "2:0:0:0", "");
        assert_one("sd 2:0:0:0: Device offlined - not ready after error recovery", DISK_MESSAGE_OFFLINE,
                   "2:0:0:0", "");
        assert_one("md/raid1:md0: Disk failure on sda1, disabling device.", DISK_MESSAGE_RAID, "sda1", "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_none),   cmocka_unit_test(test_look_alikes),
                cmocka_unit_test(test_blocks), cmocka_unit_test(test_file_systems),
                cmocka_unit_test(test_links),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
