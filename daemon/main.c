/* Command line, configuration, start and stop. The only file with exit statuses: 0 ended as asked, 1 could
 * not run, 2 wrong use or configuration. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/log.h"
#include "common/text.h"
#include "daemon/bus/boot_source.h"
#include "daemon/config.h"
#include "daemon/examine_disks.h"
#include "daemon/history/store.h"
#include "daemon/loop.h"
#include "daemon/offline.h"
#include "daemon/own_memory.h"
#include "daemon/paths.h"

enum { EXIT_CANNOT_RUN = 1, EXIT_WRONG_USE = 2 };

#define ERROR_MAX       1024
#define DESCRIPTORS_MAX 65536 /* the processes' files kept open, and the connections */

struct arguments {
        const char *root;
        const char *config;   /* NULL: the default, which may be missing */
        usec_t interval_usec; /* 0: as configured */
        bool check_config;
        bool examine_disks;
        const char *recording; /* NULL: the live machine */
        const char *at;        /* of the recording; NULL: its end */
        struct paths paths;
};

static void print_help(void)
{
        (void)fputs("Usage: slowd [OPTION]...\n"
                    "Says why this machine is slow, to whoever asks with slowctl.\n"
                    "\n"
                    "  --root=DIR             read the machine whose /proc and /sys are below DIR\n"
                    "  --socket=PATH          listen at PATH\n"
                    "  --state-directory=DIR  keep history in DIR\n"
                    "  --config=FILE          read FILE and FILE.d/*.conf (" CONFIG_PATH_DEFAULT ")\n"
                    "  --interval=SECONDS     look every SECONDS, 0.05 to 60 (5)\n"
                    "  --diagnose=FILE        answer from a recording, as JSON, and end\n"
                    "  --at=TIME              ... as of that time (the recording's end)\n"
                    "  --check-config         say whether the configuration is good, and end\n"
                    "  --examine-disks        ask the disks by smartctl how they are, and end\n"
                    "  --version              say which version this is, and end\n"
                    "  --help                 say this, and end\n"
                    "\n"
                    "See slowd(8) and slowd.conf(5).\n",
                    stdout);
}

__attribute__((format(printf, 1, 2), noreturn)) static void wrong_use(const char *format, ...)
{
        char sentence[ERROR_MAX];
        va_list arguments;
        va_start(arguments, format);
        /* clang-tidy 14 does not see va_start() here. NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
        (void)vsnprintf(sentence, sizeof(sentence), format, arguments);
        va_end(arguments);
        text_sanitize(sentence, "");
        (void)fprintf(stderr, "slowd: %s\n", sentence);
        exit(EXIT_WRONG_USE);
}

static usec_t parse_interval(const char *value)
{
        usec_t usec;
        int r = config_parse_time(value, &usec);
        if (r == -EINVAL)
                wrong_use("--interval=%s is no time; seconds (5, 0.5) are meant", value);
        if (r < 0 || usec < INTERVAL_MIN_USEC || usec > INTERVAL_MAX_USEC)
                wrong_use("--interval=%s is out of range: it must be between 0.05 and 60 seconds", value);
        return usec;
}

static void parse_arguments(int argc, char **argv, struct arguments *arguments)
{
        static const struct option options[] = {
                { "root", required_argument, NULL, 'r' },
                { "socket", required_argument, NULL, 's' },
                { "state-directory", required_argument, NULL, 'd' },
                { "config", required_argument, NULL, 'c' },
                { "interval", required_argument, NULL, 'i' },
                { "diagnose", required_argument, NULL, 'D' },
                { "at", required_argument, NULL, 'a' },
                { "check-config", no_argument, NULL, 'k' },
                { "examine-disks", no_argument, NULL, 'E' },
                { "version", no_argument, NULL, 'v' },
                { "help", no_argument, NULL, 'h' },
                { NULL, 0, NULL, 0 },
        };
        const char *socket = NULL, *state = NULL;
        char error[ERROR_MAX];
        opterr = 0;
        for (;;) {
                int index = optind; /* of the word looked at */
                int option = getopt_long(argc, argv, ":", options, NULL);
                if (option < 0)
                        break;
                if (option != ':' && option != '?' && optarg && !optarg[0])
                        wrong_use("%s has no value", argv[index]);
                switch (option) {
                case 'r':
                        arguments->root = optarg;
                        break;
                case 's':
                        socket = optarg;
                        break;
                case 'd':
                        state = optarg;
                        break;
                case 'c':
                        arguments->config = optarg;
                        break;
                case 'i':
                        arguments->interval_usec = parse_interval(optarg);
                        break;
                case 'D':
                        arguments->recording = optarg;
                        break;
                case 'a':
                        arguments->at = optarg;
                        break;
                case 'k':
                        arguments->check_config = true;
                        break;
                case 'E':
                        arguments->examine_disks = true;
                        break;
                case 'v':
                        (void)puts("slowd " SLOWD_VERSION);
                        exit(EXIT_SUCCESS);
                case 'h':
                        print_help();
                        exit(EXIT_SUCCESS);
                case ':':
                        wrong_use("%s needs a value; see slowd --help", argv[index]);
                default:
                        wrong_use("there is no option %s, or it takes no value; see slowd --help",
                                  argv[index]);
                }
        }
        if (optind < argc)
                wrong_use("'%s' is not expected here; see slowd --help", argv[optind]);
        if (arguments->at && !arguments->recording)
                wrong_use("--at goes with --diagnose=FILE");
        if (arguments->check_config || arguments->examine_disks || arguments->recording)
                return;
        if (socket ? paths_set_socket(&arguments->paths, socket, error, sizeof(error)) < 0
                   : paths_default_socket(geteuid(), &arguments->paths, error, sizeof(error)) < 0)
                wrong_use("%s", error);
        if (state)
                text_format(arguments->paths.state, sizeof(arguments->paths.state), "%s", state);
        else
                paths_default_state(geteuid(), &arguments->paths);
}

/* At start and for every reload: the files, and the command line over them. */
static int read_config(void *userdata, struct config *ret_config, char *error, size_t error_size)
{
        const struct arguments *arguments = userdata;
        struct config config;
        int r = config_read(arguments->config ? arguments->config : CONFIG_PATH_DEFAULT, !arguments->config,
                            &config, error, error_size);
        if (r < 0)
                return r;
        if (arguments->interval_usec) {
                config.interval_usec = arguments->interval_usec;
                if (config.fast_interval_usec > config.interval_usec)
                        config.fast_interval_usec = config.interval_usec;
        }
        *ret_config = config;
        return 0;
}

static void raise_descriptor_limit(void)
{
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        rlim_t wanted = limit.rlim_max < DESCRIPTORS_MAX ? limit.rlim_max : DESCRIPTORS_MAX;
        if (limit.rlim_cur >= wanted)
                return;
        limit.rlim_cur = wanted;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* else with what there is */
}

/* NULL if history cannot be kept at all; a file that cannot be written just now is the store's own business.
 */
static struct store *open_store(const char *path, const struct store_limits *limits)
{
        struct store_options options;
        struct store *store = NULL;
        store_default_options(path, &clock_real, &options);
        options.limits = *limits;
        int r = store_new(&options, &store);
        if (r < 0)
                log_warning("history is kept in memory only: %s", strerror(-r));
        return store;
}

static int serve(struct arguments *arguments, const struct config *config)
{
        char error[ERROR_MAX];
        struct root root;
        int r = root_init(&root, arguments->root);
        if (r < 0)
                wrong_use("cannot read --root=%s: %s", arguments->root, strerror(-r));
        struct listen_socket socket;
        r = listen_socket_open(arguments->paths.socket, arguments->paths.may_create_directory, &socket, error,
                               sizeof(error));
        if (r < 0) {
                log_error("%s", error);
                root_done(&root);
                return EXIT_CANNOT_RUN;
        }
        r = paths_prepare_state(arguments->paths.state);
        if (r < 0)
                log_warning("the state directory %s cannot be used now, history is kept in memory: %s",
                            arguments->paths.state, strerror(-r));
        char history_path[STATE_PATH_MAX + sizeof(STORE_FILE_NAME) + 1];
        text_format(history_path, sizeof(history_path), "%s/" STORE_FILE_NAME, arguments->paths.state);
        struct store *store = open_store(history_path, &config->limits); /* which tries again and again */
        own_memory_lock();
        const struct loop_options options = {
                .root = &root,
                .clock = &clock_real,
                .store = store,
                .history_path = store ? history_path : "",
                .config = config,
                .sources = { .boot = &boot_source },
                .reload = read_config,
                .userdata = arguments,
        };
        r = loop_run(&options, &socket);
        listen_socket_done(&socket);
        if (r > 0) /* exit() would wait for the worker */
                _exit(EXIT_SUCCESS);
        store_free(store);
        root_done(&root);
        if (r < 0)
                log_error("cannot run: %s", strerror(-r));
        return r < 0 ? EXIT_CANNOT_RUN : EXIT_SUCCESS;
}

/* A service of its own, as root: see systemd/slowd-disks.service. */
static int examine(const struct arguments *arguments)
{
        const char *run = getenv("RUNTIME_DIRECTORY"), *state = getenv("STATE_DIRECTORY");
        char error[ERROR_MAX];
        struct root root;
        int r = root_init(&root, arguments->root);
        if (r < 0)
                wrong_use("cannot read --root=%s: %s", arguments->root, strerror(-r));
        r = examine_disks(&root, &clock_real, run ? run : "/run/" DISK_HEALTH_DIRECTORY,
                          state ? state : "/var/lib/" DISK_HEALTH_DIRECTORY, error, sizeof(error));
        root_done(&root);
        if (r < 0)
                log_error("%s", error);
        return r < 0 ? EXIT_CANNOT_RUN : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
        struct arguments arguments = { .root = "/" };
        struct config config;
        char error[ERROR_MAX];
        own_memory_tune();
        parse_arguments(argc, argv, &arguments);
        if (read_config(&arguments, &config, error, sizeof(error)) < 0)
                wrong_use("%s", error);
        if (arguments.check_config) {
                (void)puts("configuration is good");
                return EXIT_SUCCESS;
        }
        if (arguments.examine_disks)
                return examine(&arguments);
        if (arguments.recording) {
                int r = offline_diagnose(arguments.recording, arguments.at, &config, error);
                if (r == -EINVAL)
                        wrong_use("%s", error);
                if (error[0])
                        (void)fprintf(stderr, "slowd: %s\n", error);
                return r < 0 ? EXIT_CANNOT_RUN : EXIT_SUCCESS;
        }
        (void)signal(SIGPIPE, SIG_IGN); /* a client that has gone is an error of its connection */
        raise_descriptor_limit();
        return serve(&arguments, &config);
}
