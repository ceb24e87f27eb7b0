/* struct boot <-> bytes, as a block of one tick: what the table of boots keeps. */
#pragma once

#include "daemon/history/varint.h"
#include "daemon/sample/boot.h"

/* 0 or -ENOMEM. */
int boot_write(const struct boot *boot, struct bytes *ret_bytes);
/* 0, -EBADMSG or -ENOMEM. */
int boot_read(const void *data, size_t length, struct boot *ret_boot);
