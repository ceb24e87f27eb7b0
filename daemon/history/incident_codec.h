/* struct incident <-> bytes, as a block of one tick. */
#pragma once

#include "daemon/diagnosis/diagnosis.h"
#include "daemon/history/varint.h"

/* 0 or -ENOMEM. */
int incident_write(const struct incident *incident, struct bytes *ret_bytes);
/* 0, -EBADMSG or -ENOMEM. The check's name is that of the table of checks, or interned. */
int incident_read(const void *data, size_t length, struct incident *ret_incident);
