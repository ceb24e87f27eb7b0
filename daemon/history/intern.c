/* A small table of strings that live as long as the program. */
#include "daemon/history/intern.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>

static const char *names[INTERN_MAX]; /* never freed, by design: callers keep them as static strings */
static size_t name_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

const char *intern(const char *text)
{
        const char *found = NULL;
        (void)pthread_mutex_lock(&lock);
        for (size_t i = 0; i < name_count && !found; i++)
                if (strcmp(names[i], text) == 0)
                        found = names[i];
        if (!found && name_count < INTERN_MAX) {
                found = strdup(text);
                if (found)
                        names[name_count++] = found;
        }
        (void)pthread_mutex_unlock(&lock);
        return found ? found : "?";
}
