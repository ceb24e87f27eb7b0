/* The table of background workers. To add one: a line here, or in slowd.conf, section [workers]. Names are
 * compared whole, for a program that is called "updatedb-test" is another program. Names, timers and files
 * are those of Debian 12, Fedora 40 and the projects' own units. */
#include "daemon/checks/workers.h"

#include <errno.h>
#include <string.h>

#include "common/text.h"

#define PRUNE_COMMAND "editor /etc/updatedb.conf"
#define PRUNE_TEXT    "leave out directories that nobody searches: add them to PRUNEPATHS in /etc/updatedb.conf"

#define LOCATE(name, of_timer)                                                                               \
        {                                                                                                    \
                .kind = WORKER_INDEXER, .process = (name), .does = "indexes file names for locate",          \
                .timer = (of_timer ".timer"), .service = (of_timer ".service"), .exclude = PRUNE_COMMAND,    \
                .exclude_text = PRUNE_TEXT                                                                   \
        }
#define TRACKER(name, of_service)                                                                            \
        {                                                                                                    \
                .kind = WORKER_INDEXER, .process = (name), .does = "indexes files for GNOME's search",       \
                .service = (of_service), .is_users = true,                                                   \
                .exclude = "gsettings set org.freedesktop.Tracker3.Miner.Files index-recursive-directories " \
                           "\"['&DOCUMENTS']\"",                                                             \
                .exclude_text = "index documents only (the list of directories is its setting)"              \
        }
#define BALOO(name)                                                                                          \
        {                                                                                                    \
                .kind = WORKER_INDEXER, .process = (name), .does = "indexes files for KDE's search",         \
                .service = "kde-baloo.service", .is_users = true, .exclude = "balooctl suspend",             \
                .exclude_text = "let it pause (balooctl config add excludeFolders PATH leaves one out)"      \
        }
#define PACKAGES(name, of_timer, of_service)                                                                 \
        {                                                                                                    \
                .kind = WORKER_MAINTENANCE, .process = (name), .does = "installs or updates packages",       \
                .timer = (of_timer), .service = (of_service)                                                 \
        }
#define MAINTENANCE(name, what, of_timer, of_service)                                                        \
        {                                                                                                    \
                .kind = WORKER_MAINTENANCE, .process = (name), .does = (what), .timer = (of_timer),          \
                .service = (of_service)                                                                      \
        }
#define FILESYSTEM_WORD(name, first, what, of_timer)                                                         \
        {                                                                                                    \
                .kind = WORKER_MAINTENANCE, .process = (name), .condition = WORKER_WITH_WORD,                \
                .word = (first), .does = (what), .timer = (of_timer)                                         \
        }
#define BACKUP(name)                                                                                         \
        {                                                                                                    \
                .kind = WORKER_BACKUP, .process = (name), .does = "makes a backup"                           \
        }
#define COPIER(name, when)                                                                                   \
        {                                                                                                    \
                .kind = WORKER_BACKUP, .process = (name), .condition = (when),                               \
                .does = "copies files for a backup"                                                          \
        }

static const struct worker workers[] = {
        LOCATE("updatedb", "updatedb"),
        LOCATE("updatedb.plocate", "plocate-updatedb"),
        LOCATE("updatedb.mlocate", "mlocate-updatedb"),
        LOCATE("updatedb.findutils", "updatedb"),
        TRACKER("tracker-miner-fs-3", "tracker-miner-fs-3.service"),
        TRACKER("tracker-miner-fs", "tracker-miner-fs.service"),
        TRACKER("tracker-extract-3", "tracker-extract-3.service"),
        TRACKER("tracker-extract", "tracker-extract.service"),
        TRACKER("localsearch-3", "localsearch-3.service"),
        TRACKER("localsearch-extractor-3", "localsearch-3.service"),
        BALOO("baloo_file"),
        BALOO("baloo_file_extractor"),
        { .kind = WORKER_INDEXER,
          .process = "recollindex",
          .does = "indexes documents for recoll",
          .service = "recollindex.service",
          .is_users = true,
          .exclude = "editor ~/.recoll/recoll.conf",
          .exclude_text = "leave out directories: skippedPaths in ~/.recoll/recoll.conf" },
        { .kind = WORKER_INDEXER,
          .process = "mandb",
          .does = "indexes the manual pages",
          .timer = "man-db.timer",
          .service = "man-db.service" },

        PACKAGES("apt", "apt-daily-upgrade.timer", NULL),
        PACKAGES("apt-get", "apt-daily-upgrade.timer", NULL),
        PACKAGES("aptitude", NULL, NULL),
        PACKAGES("apt.systemd.daily", "apt-daily-upgrade.timer", "apt-daily-upgrade.service"),
        PACKAGES("unattended-upgrade", "apt-daily-upgrade.timer", "apt-daily-upgrade.service"),
        PACKAGES("unattended-upgrades", "apt-daily-upgrade.timer", "apt-daily-upgrade.service"),
        PACKAGES("dpkg", NULL, NULL),
        PACKAGES("dnf", "dnf-automatic.timer", NULL),
        PACKAGES("dnf5", "dnf5-automatic.timer", NULL),
        PACKAGES("dnf-automatic", "dnf-automatic.timer", "dnf-automatic.service"),
        PACKAGES("yum", NULL, NULL),
        PACKAGES("rpm", NULL, NULL),
        PACKAGES("zypper", NULL, NULL),
        PACKAGES("pacman", NULL, NULL),
        PACKAGES("packagekitd", NULL, "packagekit.service"),
        PACKAGES("snapd", NULL, "snapd.service"),
        PACKAGES("fwupd", "fwupd-refresh.timer", "fwupd.service"),
        { .kind = WORKER_MAINTENANCE,
          .process = "fstrim",
          .does = "tells the disks which blocks are free",
          .timer = "fstrim.timer",
          .service = "fstrim.service",
          .is_byteless = true },
        MAINTENANCE("e2scrub", "checks file systems for errors", "e2scrub_all.timer", NULL),
        MAINTENANCE("e2scrub_all", "checks file systems for errors", "e2scrub_all.timer", NULL),
        MAINTENANCE("xfs_scrub", "checks file systems for errors", "xfs_scrub_all.timer", NULL),
        MAINTENANCE("xfs_scrub_all", "checks file systems for errors", "xfs_scrub_all.timer", NULL),
        FILESYSTEM_WORD("btrfs", "scrub", "reads a whole file system to check it", "btrfs-scrub@-.timer"),
        FILESYSTEM_WORD("btrfs", "balance", "moves a file system's data around", "btrfs-balance.timer"),
        FILESYSTEM_WORD("btrfs", "filesystem", "defragments or resizes a file system", NULL),
        MAINTENANCE("checkarray", "checks the RAID arrays", "mdcheck_start.timer", NULL),
        MAINTENANCE("clamscan", "searches files for viruses", NULL, NULL),
        MAINTENANCE("clamdscan", "searches files for viruses", NULL, NULL),
        MAINTENANCE("freshclam", "updates the virus signatures", NULL, "clamav-freshclam.service"),
        MAINTENANCE("aide", "compares files with their checksums", "dailyaidecheck.timer",
                    "dailyaidecheck.service"),
        MAINTENANCE("debsums", "compares files with their checksums", NULL, NULL),
        MAINTENANCE("rkhunter", "searches files for rootkits", NULL, NULL),
        MAINTENANCE("logrotate", "rotates and compresses logs", "logrotate.timer", "logrotate.service"),
        MAINTENANCE("systemd-tmpfiles", "removes old temporary files", "systemd-tmpfiles-clean.timer",
                    "systemd-tmpfiles-clean.service"),

        BACKUP("borg"),
        BACKUP("borgmatic"),
        BACKUP("restic"),
        BACKUP("kopia"),
        BACKUP("duplicity"),
        BACKUP("duplicati"),
        BACKUP("deja-dup"),
        BACKUP("rsnapshot"),
        BACKUP("rdiff-backup"),
        BACKUP("bacula-fd"),
        BACKUP("bareos-fd"),
        BACKUP("amandad"),
        BACKUP("timeshift"),
        BACKUP("snapper"),
        BACKUP("vzdump"),
        BACKUP("proxmox-backup-client"),
        COPIER("rsync", WORKER_UNATTENDED),
        COPIER("rclone", WORKER_UNATTENDED),
        COPIER("tar", WORKER_IN_BACKUP),
        COPIER("cp", WORKER_IN_BACKUP),
        COPIER("xz", WORKER_IN_BACKUP),
        COPIER("gzip", WORKER_IN_BACKUP),
        COPIER("zstd", WORKER_IN_BACKUP),
        COPIER("mysqldump", WORKER_IN_BACKUP),
        COPIER("mariadb-dump", WORKER_IN_BACKUP),
        COPIER("pg_dump", WORKER_IN_BACKUP),
        COPIER("pg_basebackup", WORKER_IN_BACKUP),
};

/* ---- added ones ---- */

/* "key=" at the beginning of a word: the rest goes to the buffer. */
static bool take_option(struct span word, const char *key, char *buffer, size_t size, int *error)
{
        size_t length = strlen(key);
        if (!span_starts(word, key))
                return false;
        if (!span_copy((struct span){ word.at + length, word.length - length }, buffer, size))
                *error = -E2BIG;
        else if (!buffer[0])
                *error = -EINVAL;
        return true;
}

int workers_add(struct added_workers *list, enum worker_kind kind, const char *value)
{
        struct added_worker worker = { .kind = kind };
        struct span text = span_of(value), word;
        int error = 0;
        if (!span_take_word(&text, &word) || memchr(word.at, '=', word.length))
                return -EINVAL;
        if (list->count == WORKERS_ADDED_MAX || !span_copy(word, worker.process, sizeof(worker.process)))
                return -E2BIG;
        while (error == 0 && span_take_word(&text, &word))
                if (!take_option(word, "timer=", worker.timer, sizeof(worker.timer), &error) &&
                    !take_option(word, "exclude=", worker.exclude, sizeof(worker.exclude), &error))
                        error = -EINVAL;
        if (error == 0)
                list->list[list->count++] = worker;
        return error;
}

static struct worker worker_of_added(const struct added_worker *added)
{
        static const char *const does[] = { "indexes files", "does maintenance", "makes a backup" };
        return (struct worker){
                .kind = added->kind,
                .process = added->process,
                .does = does[added->kind],
                .timer = added->timer[0] ? added->timer : NULL,
                .exclude_text = added->exclude[0] ? added->exclude : NULL,
                .is_added = true,
        };
}

/* ---- who is one ---- */

/* One of the parts between punctuation: "backup" in "nightly-backup.sh", not in "backupper". */
static bool has_part(const char *text, const char *part)
{
        size_t length = strlen(part);
        for (const char *at = text; (at = strstr(at, part)); at++) {
                bool begins = at == text || strchr("/-_.@: ", at[-1]);
                if (begins && (at[length] == '\0' || strchr("/-_.@: ", at[length])))
                        return true;
        }
        return false;
}

static bool is_backup_text(const char *text)
{
        return has_part(text, "backup") || has_part(text, "backups") || has_part(text, "snapshot");
}

static const char *base_name(const char *path)
{
        const char *slash = strrchr(path, '/');
        return slash ? slash + 1 : path;
}

static bool is_in_backup(const struct process_identity *identity)
{
        for (uint32_t i = 0; i < identity->chain_length; i++)
                if (is_backup_text(identity->chain[i].name))
                        return true;
        return is_backup_text(identity->unit) || is_backup_text(base_name(identity->script)) ||
               is_backup_text(base_name(identity->origin_script));
}

static bool is_from_cron(const struct process_identity *identity)
{
        static const char *const starters[] = { "cron", "crond", "CRON", "anacron", "atd", "fcron" };
        for (uint32_t i = 0; i < identity->chain_length; i++)
                for (size_t k = 0; k < sizeof(starters) / sizeof(starters[0]); k++)
                        if (strcmp(identity->chain[i].name, starters[k]) == 0)
                                return true;
        return false;
}

static bool has_first_word(const char *command_line, const char *wanted)
{
        struct span text = span_of(command_line), word;
        return span_take_word(&text, &word) && span_take_word(&text, &word) && span_equal(word, wanted);
}

static bool applies(const struct worker *worker, const struct process_identity *identity)
{
        switch (worker->condition) {
        case WORKER_ALWAYS:
                return true;
        case WORKER_WITH_WORD:
                return has_first_word(identity->command_line, worker->word);
        case WORKER_UNATTENDED:
                return is_from_cron(identity) || is_in_backup(identity);
        case WORKER_IN_BACKUP:
                return is_in_backup(identity);
        }
        return false;
}

static bool find_named(const struct process_identity *identity, const struct added_workers *added,
                       struct worker *ret_worker)
{
        for (size_t i = 0; added && i < added->count; i++) {
                if (strcmp(added->list[i].process, identity->name) != 0)
                        continue;
                *ret_worker = worker_of_added(&added->list[i]);
                return true;
        }
        for (size_t i = 0; i < sizeof(workers) / sizeof(workers[0]); i++) {
                if (strcmp(workers[i].process, identity->name) != 0 || !applies(&workers[i], identity))
                        continue;
                *ret_worker = workers[i];
                return true;
        }
        return false;
}

bool worker_of_process(const struct sample *sample, const struct process_identity *identity,
                       const struct added_workers *added, struct worker *ret_worker, uint32_t *ret_pid)
{
        if (identity->is_kernel_thread)
                return false;
        for (uint32_t i = identity->chain_length; i-- > 0;) {
                const struct ancestor *ancestor = &identity->chain[i];
                const struct process_sample *process = sample_find_process(sample, ancestor->pid);
                /* A daemon that a package update restarted has outlived it. */
                if (!process || strcmp(process->identity->comm, ancestor->name) != 0)
                        continue;
                if (find_named(process->identity, added, ret_worker)) {
                        *ret_pid = ancestor->pid;
                        return true;
                }
        }
        *ret_pid = identity->pid;
        return find_named(identity, added, ret_worker);
}
