/* Runs shell scripts that come over a serial port of the virtual machine, one at a time:
 *   host:  "LENGTH\n" and that many bytes of script
 *   guest: "STATUS LENGTH\n" and that many bytes of what it has printed
 * Output goes into a file in memory, not a pipe: what a script leaves running must not hold the answer back.
 * Locked in memory, so that it answers while the machine around it does not. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCRIPT_MAX (1U << 20)
#define OUTPUT_MAX (64U << 20)

static char script[SCRIPT_MAX + 1];
static int port;

static void read_all(char *bytes, size_t count)
{
        while (count > 0) {
                ssize_t n = read(port, bytes, count);
                if (n <= 0) { /* nobody at the other end yet */
                        (void)usleep(100000);
                        continue;
                }
                bytes += n;
                count -= (size_t)n;
        }
}

static void write_all(const char *bytes, size_t count)
{
        while (count > 0) {
                ssize_t n = write(port, bytes, count);
                if (n <= 0) {
                        (void)usleep(10000);
                        continue;
                }
                bytes += n;
                count -= (size_t)n;
        }
}

static size_t read_length(void)
{
        char text[16] = { 0 };
        size_t length = 0;
        do {
                read_all(&text[length], 1);
                length++;
        } while (text[length - 1] != '\n' && length < sizeof(text) - 1);
        unsigned long value = strtoul(text, NULL, 10);
        return value > SCRIPT_MAX ? SCRIPT_MAX : value;
}

static void become_ordinary(int output)
{
        int adjust = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
        if (adjust >= 0) {
                (void)!write(adjust, "0", 1);
                (void)close(adjust);
        }
        (void)setpriority(PRIO_PROCESS, 0, 0);
        int nothing = open("/dev/null", O_RDONLY);
        (void)dup2(nothing, 0);
        (void)dup2(output, 1);
        (void)dup2(output, 2);
}

static void answer(void)
{
        char header[32];
        int output = memfd_create("output", MFD_CLOEXEC), status = 0;
        pid_t pid = fork();
        if (pid == 0) {
                become_ordinary(output);
                (void)execl("/bin/bash", "bash", "-c", script, (char *)NULL);
                _exit(127);
        }
        (void)waitpid(pid, &status, 0);
        struct stat st = { 0 };
        (void)fstat(output, &st);
        size_t length = st.st_size > OUTPUT_MAX ? OUTPUT_MAX : (size_t)st.st_size;
        int header_length = snprintf(header, sizeof(header), "%d %zu\n",
                                     WIFEXITED(status) ? WEXITSTATUS(status) : 128, length);
        write_all(header, (size_t)header_length);
        char *bytes = length ? mmap(NULL, length, PROT_READ, MAP_SHARED, output, 0) : NULL;
        if (bytes && bytes != MAP_FAILED) {
                write_all(bytes, length);
                (void)munmap(bytes, length);
        }
        (void)close(output);
}

int main(int argc, char **argv)
{
        if (argc != 2)
                return 2;
        /* While the machine boots the port may be late. */
        while ((port = open(argv[1], O_RDWR | O_CLOEXEC)) < 0)
                (void)usleep(100000);
        (void)mlockall(MCL_CURRENT);
        for (;;) {
                size_t length = read_length();
                read_all(script, length);
                script[length] = '\0';
                if (length > 0)
                        answer();
        }
}
