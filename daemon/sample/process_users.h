/* Names of users from etc/passwd below the root. Never NSS: a directory server that does not answer would
 * hang the tick. Users that are not in that file have no name here. */
#pragma once

#include "common/text.h"
#include "daemon/root.h"
#include "daemon/sample/sample.h"

#define USERS_MAX            4096
#define USERS_FILE_MAX_BYTES (1024 * 1024)

struct process_user {
        uint32_t uid;
        char name[USER_NAME_MAX];
};

struct process_users {
        const struct root *root;
        struct process_user *users; /* sorted by uid */
        size_t count;
        int64_t mtime_nsec; /* of the file that was read; 0 none yet */
};

void process_users_done(struct process_users *users);
/* Reads the file again if it has changed. One stat call otherwise. */
void process_users_refresh(struct process_users *users);
/* The user's name, or the number as text. */
void process_users_name(const struct process_users *users, uint32_t uid, char ret_name[static USER_NAME_MAX]);
/* Parses one line into *ret_user; -EINVAL. */
int process_users_parse(struct span line, struct process_user *ret_user);
