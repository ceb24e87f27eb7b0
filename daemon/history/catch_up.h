/* What was recorded but not summed up, because slowd was killed within a minute or an hour, is summed up when
 * it starts again. */
#pragma once

#include "daemon/history/writer.h"

/* Reads the end of the file and hands the missing roll-ups to the writer, which has it open. What cannot be
 * read is left out: nobody is told, for readers will be. */
void catch_up(const char *path, struct writer *writer);
