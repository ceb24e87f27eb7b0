/* Reads etc/passwd, passwd(5). */
#include "daemon/sample/process_users.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/cleanup.h"

/* "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin" */
int process_users_parse(struct span line, struct process_user *ret_user)
{
        struct span name, password, number;
        uint64_t uid;

        if (!span_take_until(&line, ':', &name) || name.length == 0 ||
            !span_take_until(&line, ':', &password) || !span_take_until(&line, ':', &number) ||
            span_u64(number, &uid) < 0 || uid > UINT32_MAX)
                return -EINVAL;
        struct process_user user = { .uid = (uint32_t)uid };
        (void)span_copy(name, user.name, sizeof(user.name));
        text_sanitize(user.name, "");
        *ret_user = user;
        return 0;
}

static int by_uid(const void *a, const void *b)
{
        const struct process_user *x = a, *y = b;
        return x->uid < y->uid ? -1 : x->uid > y->uid;
}

static void load(struct process_users *users, size_t size)
{
        CLEANUP_FREE char *buffer = malloc(size);
        CLEANUP_FREE struct process_user *list = NULL;
        size_t count = 0, capacity = 0;
        struct span text, line;

        if (!buffer)
                return;
        ssize_t n = root_read(users->root, "etc/passwd", buffer, size);
        if (n < 0 && n != -EFBIG)
                return;
        text = span_of(buffer);
        while (count < USERS_MAX && span_take_line(&text, &line)) {
                struct process_user user;
                if (process_users_parse(line, &user) < 0)
                        continue;
                if (count == capacity) {
                        capacity = capacity ? capacity * 2 : 32;
                        struct process_user *grown = realloc(list, capacity * sizeof(*list));
                        if (!grown)
                                return;
                        list = grown;
                }
                list[count++] = user;
        }
        if (count > 0)
                qsort(list, count, sizeof(*list), by_uid);
        free(users->users);
        users->users = TAKE(list);
        users->count = count;
}

void process_users_refresh(struct process_users *users)
{
        struct stat status;
        if (fstatat(users->root->fd, "etc/passwd", &status, 0) < 0 || !S_ISREG(status.st_mode))
                return;
        int64_t mtime_nsec = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
        if (users->mtime_nsec == mtime_nsec)
                return;
        users->mtime_nsec = mtime_nsec;
        size_t size = status.st_size > 0 ? (size_t)status.st_size : 0;
        load(users, (size < USERS_FILE_MAX_BYTES ? size : USERS_FILE_MAX_BYTES) + 2);
}

void process_users_name(const struct process_users *users, uint32_t uid, char ret_name[static USER_NAME_MAX])
{
        const struct process_user key = { .uid = uid };
        const struct process_user *user =
                users->count > 0 ? bsearch(&key, users->users, users->count, sizeof(key), by_uid) : NULL;
        if (user)
                text_format(ret_name, USER_NAME_MAX, "%s", user->name);
        else
                text_format(ret_name, USER_NAME_MAX, "%" PRIu32, uid);
}

void process_users_done(struct process_users *users)
{
        free(users->users);
        users->users = NULL;
        users->count = 0;
}
