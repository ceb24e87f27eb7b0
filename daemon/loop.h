/* The running daemon: keeps the rhythm, has ticks run on a worker, and passes on what they publish. */
#pragma once

#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/history/store.h"
#include "daemon/root.h"
#include "daemon/sample/collectors.h"
#include "daemon/serve/listen.h"

struct loop_options {
        const struct root *root;
        const struct clock *clock;
        struct store *store;            /* borrowed; NULL: nothing is kept on disk */
        const char *history_path;       /* of its file, for questions about the past; "": none */
        const struct config *config;    /* to begin with */
        struct sampler_options sources; /* those that need what the core may not link with */
        /* How a reload reads the configuration again; like config_read() without its path. */
        int (*reload)(void *userdata, struct config *ret_config, char *error, size_t error_size);
        void *userdata;
};

/* Runs until SIGTERM or SIGINT. The socket's descriptor is taken over; its name stays the caller's. 0; 1 if a
 * worker was still stuck in a read when it ended, so that only _exit() ends the process; or negative errno.
 */
int loop_run(const struct loop_options *options, struct listen_socket *socket);
