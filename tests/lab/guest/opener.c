/* Opens NUMBER pairs of sockets each tenth of a second, writes a little into them, and closes none: `opener
 * NUMBER`. */
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define TENTH_USEC 100000

int main(int argc, char **argv)
{
        static const char bytes[1000];
        struct rlimit limit;
        if (argc != 2 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return 2;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
                return 1;
        for (;;) {
                for (int i = atoi(argv[1]); i > 0; i--) {
                        int ends[2];
                        if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends) < 0)
                                return pause();
                        (void)!write(ends[0], bytes, sizeof(bytes));
                }
                (void)usleep(TENTH_USEC);
        }
}
