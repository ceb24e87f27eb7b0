/* Makes processes: `crowd idle N` has N children that sleep, `crowd awake N` children that do a little every
 * 200 ms, `crowd storm SECONDS` forks children that end at once, as fast as it can. Prints what it has made;
 * its children die with it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void live(int awake)
{
        for (;;) {
                if (!awake)
                        pause();
                volatile unsigned work = 0;
                while (work < 20000)
                        work++;
                usleep(200000);
        }
}

static int storm(unsigned seconds)
{
        unsigned long made = 0;
        time_t end = time(NULL) + (time_t)seconds;
        while (time(NULL) < end) {
                for (int i = 0; i < 50; i++) {
                        pid_t pid = fork();
                        if (pid == 0)
                                _exit(0);
                        if (pid > 0)
                                made++;
                }
                while (waitpid(-1, NULL, WNOHANG) > 0)
                        ;
        }
        while (waitpid(-1, NULL, 0) > 0)
                ;
        printf("%lu\n", made);
        return made == 0;
}

int main(int argc, char **argv)
{
        if (argc != 3) {
                fprintf(stderr, "usage: crowd idle N | awake N | storm SECONDS\n");
                return 2;
        }
        unsigned count = (unsigned)strtoul(argv[2], NULL, 10);
        if (strcmp(argv[1], "storm") == 0)
                return storm(count);
        unsigned made = 0;
        for (; made < count; made++) {
                pid_t pid = fork();
                if (pid < 0)
                        break;
                if (pid == 0) {
                        prctl(PR_SET_PDEATHSIG, SIGKILL);
                        live(strcmp(argv[1], "awake") == 0);
                }
        }
        printf("%u\n", made);
        fflush(stdout);
        if (made < count)
                return 1;
        pause();
        return 0;
}
