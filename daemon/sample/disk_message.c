/* A small strict matcher: each form is anchored at the start of the message, for file and program names stand
 * further on and may be anything. Texts are those of Linux 6.1 to 6.18 (block/blk-core.c, fs/buffer.c,
 * fs/ext4/super.c, fs/xfs/xfs_message.c, fs/btrfs/messages.c, drivers/md/raid1.c, drivers/ata/libata-eh.c,
 * drivers/nvme/host/pci.c, drivers/scsi/scsi_lib.c). */
#include "daemon/sample/disk_message.h"

#include <string.h>

#include "common/text.h"

static bool skip(struct span *text, const char *prefix)
{
        size_t length = strlen(prefix);
        if (!span_starts(*text, prefix))
                return false;
        text->at += length;
        text->length -= length;
        return true;
}

static bool contains(struct span text, const char *part)
{
        size_t length = strlen(part);
        for (size_t i = 0; i + length <= text.length; i++)
                if (memcmp(text.at + i, part, length) == 0)
                        return true;
        return false;
}

static bool is_device_name(struct span name)
{
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:+!";
        if (name.length == 0 || name.length >= DEVICE_NAME_MAX || name.at[0] == '-')
                return false;
        for (size_t i = 0; i < name.length; i++)
                if (!memchr(allowed, name.at[i], sizeof(allowed) - 1))
                        return false;
        return true;
}

static bool is_optical_or_floppy(struct span name)
{
        return (span_starts(name, "sr") || span_starts(name, "fd")) && name.length > 2 && name.at[2] >= '0' &&
               name.at[2] <= '9';
}

/* Takes the device's name up to the first of `ends`, which is taken too. */
static bool take_device(struct span *text, const char *ends, struct disk_message *message)
{
        size_t length = 0;
        while (length < text->length && !strchr(ends, text->at[length]))
                length++;
        struct span name = { text->at, length };
        if (length == text->length || !is_device_name(name) || is_optical_or_floppy(name))
                return false;
        text->at += length + 1;
        text->length -= length + 1;
        return span_copy(name, message->device, sizeof(message->device));
}

/* "..., comm ls: reading directory lblock 0": a name may hold blanks, but ": " ends it here. */
static void find_program(struct span text, struct disk_message *message)
{
        for (; text.length > 0; text.at++, text.length--) {
                if (!span_starts(text, "comm "))
                        continue;
                struct span name = { text.at + 5, text.length - 5 };
                size_t length = 0;
                while (length + 1 < name.length && !(name.at[length] == ':' && name.at[length + 1] == ' '))
                        length++;
                name.length = length;
                (void)span_copy(name, message->program, sizeof(message->program));
                return;
        }
}

/* "I/O error, dev sda, sector 4656 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2"; until 5.x with
 * "blk_update_request: " before it, and without what comes after the sector until 5.5. */
static bool match_block(struct span text, struct disk_message *message)
{
        /* The kernel's other words mean no sick disk: "operation not supported" is what a loop device answers
         * to a discard, "critical space allocation" is a thin pool that is full, "reservation conflict" and
         * "critical nexus" are another machine's. */
        static const char *const errors[] = {
                "I/O error, dev ",     "critical medium error, dev ",       "critical target error, dev ",
                "timeout error, dev ", "recoverable transport error, dev ", "protection error, dev "
        };
        if (!skip(&text, "blk_update_request: ") && !skip(&text, "print_req_error: "))
                (void)skip(&text, "end_request: ");
        size_t i = 0, count = sizeof(errors) / sizeof(errors[0]);
        while (i < count && !skip(&text, errors[i]))
                i++;
        if (i == count || !take_device(&text, ",", message) || !skip(&text, " sector "))
                return false;
        /* Whoever discards or zeroes learns that it did not work, and no data is lost. */
        if (contains(text, ":(DISCARD)") || contains(text, ":(WRITE_ZEROES)") ||
            contains(text, ":(SECURE_ERASE)") || contains(text, ":(ZONE_"))
                return false;
        message->kind = DISK_MESSAGE_IO_ERROR;
        return true;
}

/* "Buffer I/O error on dev sda1, logical block 5, async page read"; "..., lost async page write". */
static bool match_buffer(struct span text, struct disk_message *message)
{
        if (!skip(&text, "Buffer I/O error on dev ") && !skip(&text, "Buffer I/O error on device "))
                return false;
        if (!take_device(&text, ",", message))
                return false;
        message->kind = contains(text, "lost ") ? DISK_MESSAGE_LOST_WRITE : DISK_MESSAGE_IO_ERROR;
        return true;
}

/* "EXT4-fs error (device loop0): ext4_find_entry:1455: inode #2: comm ls: reading directory lblock 0"
 * "EXT4-fs error (device loop0) in ext4_reserve_inode_write:5900: Journal has aborted"
 * "EXT4-fs warning (device dm-0): ext4_end_bio:343: I/O error 10 writing to inode 12 starting block 33"
 * "EXT4-fs (loop0): Remounting filesystem read-only". What it says of errors long ago, at each mount and each
 * day ("error count since last fsck: 3"), is no new one. */
static bool match_ext4(struct span text, struct disk_message *message)
{
        if (skip(&text, "EXT4-fs error (device ")) {
                if (!take_device(&text, ")", message))
                        return false;
                find_program(text, message);
                message->kind = DISK_MESSAGE_FILE_SYSTEM;
                return true;
        }
        if (skip(&text, "EXT4-fs warning (device ")) {
                message->kind = DISK_MESSAGE_LOST_WRITE;
                return take_device(&text, ")", message) && contains(text, "I/O error") &&
                       contains(text, "writing to inode");
        }
        if (skip(&text, "Aborting journal on device ")) {
                message->kind = DISK_MESSAGE_FILE_SYSTEM;
                if (!take_device(&text, ".", message))
                        return false;
                char *number = strrchr(message->device, '-'); /* "sda1-8": of its journal's inode */
                if (number && number != message->device)
                        *number = '\0';
                return true;
        }
        if (!skip(&text, "EXT4-fs (") || !take_device(&text, ")", message))
                return false;
        if (span_starts(text, ": Remounting filesystem read-only")) {
                message->kind = DISK_MESSAGE_READ_ONLY;
                return true;
        }
        message->kind = DISK_MESSAGE_FILE_SYSTEM;
        return span_starts(text, ": I/O error while writing superblock");
}

/* "XFS (sda1): metadata I/O error in "xfs_imap_to_bp+0x50/0x70 [xfs]" at daddr 0x40 len 32 error 5"
 * "XFS (sda1): Metadata CRC error detected at xfs_agf_read_verify+0xd0/0xf0 [xfs], xfs_agf block 0x1"
 * "XFS (sda1): log I/O error -5"
 * "XFS (sda1): Filesystem has been shut down due to log error (0x2)." */
static bool match_xfs(struct span text, struct disk_message *message)
{
        if (!skip(&text, "XFS (") || !take_device(&text, ")", message))
                return false;
        if (contains(text, "Shutting down filesystem") || contains(text, "ilesystem has been shut down")) {
                message->kind = DISK_MESSAGE_READ_ONLY;
                return true;
        }
        message->kind = DISK_MESSAGE_FILE_SYSTEM;
        return contains(text, "etadata I/O error") || contains(text, "etadata I/O Error") ||
               contains(text, "log I/O error") || contains(text, "CRC error detected") ||
               contains(text, "corruption detected") || contains(text, "writeback error on ");
}

/* "BTRFS error (device sdb1): bdev /dev/sdb1 errs: wr 0, rd 1, flush 0, corrupt 0, gen 0"; at "info" the same
 * line tells at each mount of errors long ago.
 * "BTRFS warning (device sdb1): csum failed root 5 ino 257 off 0 csum 0x8941f998 expected csum 0x1 mirror 1"
 * "BTRFS: error (device sdb1) in btrfs_commit_transaction:2418: errno=-5 IO failure"
 * "BTRFS info (device sdb1: state E): forced readonly". */
static bool match_btrfs(struct span text, struct disk_message *message)
{
        bool is_info = skip(&text, "BTRFS info (device ");
        if (!is_info && !skip(&text, "BTRFS error (device ") && !skip(&text, "BTRFS warning (device ") &&
            !skip(&text, "BTRFS critical (device ") && !skip(&text, "BTRFS: error (device "))
                return false;
        if (!take_device(&text, "): ", message))
                return false;
        if (contains(text, "forced readonly")) {
                message->kind = DISK_MESSAGE_READ_ONLY;
                return true;
        }
        message->kind = DISK_MESSAGE_FILE_SYSTEM;
        return !is_info && (contains(text, " errs: ") || contains(text, "csum failed") ||
                            contains(text, "checksum verify failed") || contains(text, "checksum error") ||
                            contains(text, "IO failure") || contains(text, "corrupt leaf") ||
                            contains(text, "corrupt node") || contains(text, "bad tree block"));
}

/* "FAT-fs (sdb1): error, fat_get_cluster: invalid cluster chain (i_pos 1234)"
 * "FAT-fs (sdb1): Filesystem has been set read-only" */
static bool match_fat(struct span text, struct disk_message *message)
{
        if (!skip(&text, "FAT-fs (") || !take_device(&text, ")", message))
                return false;
        if (contains(text, "has been set read-only")) {
                message->kind = DISK_MESSAGE_READ_ONLY;
                return true;
        }
        message->kind = DISK_MESSAGE_FILE_SYSTEM;
        return span_starts(text, ": error, ");
}

/* "md/raid1:md0: Disk failure on sda1, disabling device." */
static bool match_md(struct span text, struct disk_message *message)
{
        struct span before;
        if (!skip(&text, "md/raid") || !span_take_until(&text, ':', &before) ||
            !span_take_until(&text, ':', &before) || !skip(&text, " Disk failure on "))
                return false;
        message->kind = DISK_MESSAGE_RAID;
        return take_device(&text, ",", message);
}

/* "ata3.00: exception Emask 0x0 SAct 0x10 SErr 0x0 action 0x6 frozen"
 * "ata3: hard resetting link". One reset comes with several lines: the exception is the one that is counted.
 */
static bool match_ata(struct span text, struct disk_message *message)
{
        struct span port = text;
        if (!skip(&text, "ata") || text.length == 0 || text.at[0] < '0' || text.at[0] > '9')
                return false;
        if (!take_device(&port, ":", message) || !span_starts(port, " exception Emask "))
                return false;
        char *link = strchr(message->device, '.');
        if (link)
                *link = '\0';
        message->kind = DISK_MESSAGE_LINK;
        return true;
}

/* "nvme nvme0: I/O 12 QID 3 timeout, aborting"
 * "nvme nvme0: I/O tag 5 (1005) opcode 0x2 (I/O Cmd) QID 1 timeout, aborting req_op:READ(0) size:4096"
 * "nvme nvme0: controller is down; will reset: CSTS=0x3, PCI_STATUS=0x10"
 * "nvme nvme0: Disabling device after reset failure: -19" (6.1: "Removing after probe failure status: -19")
 */
static bool match_nvme(struct span text, struct disk_message *message)
{
        if (!skip(&text, "nvme ") || !take_device(&text, ":", message))
                return false;
        message->kind = DISK_MESSAGE_OFFLINE;
        if (span_starts(text, " Disabling device after reset failure") ||
            span_starts(text, " Removing after probe failure"))
                return true;
        message->kind = DISK_MESSAGE_LINK;
        return (span_starts(text, " I/O ") && contains(text, " timeout, ")) ||
               span_starts(text, " controller is down; will reset");
}

/* "sd 2:0:0:0: rejecting I/O to offline device"
 * "sd 2:0:0:0: Device offlined - not ready after error recovery" */
static bool match_scsi(struct span text, struct disk_message *message)
{
        struct span address;
        if (!skip(&text, "sd ") || !span_take_until(&text, ' ', &address) || address.length < 2 ||
            address.at[address.length - 1] != ':')
                return false;
        address.length--;
        if (!is_device_name(address) || !span_copy(address, message->device, sizeof(message->device)))
                return false;
        message->kind = DISK_MESSAGE_OFFLINE;
        return span_starts(text, "rejecting I/O to ") || span_starts(text, "Device offlined");
}

bool disk_message_parse(const char *text, struct disk_message *ret_message)
{
        static bool (*const forms[])(struct span, struct disk_message *) = {
                match_block, match_buffer, match_ext4, match_xfs,  match_btrfs,
                match_fat,   match_md,     match_ata,  match_nvme, match_scsi,
        };
        for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
                struct disk_message message = { 0 };
                if (!forms[i](span_of(text), &message))
                        continue;
                *ret_message = message;
                return true;
        }
        return false;
}
