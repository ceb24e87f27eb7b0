/* Growing files and those who write them. */
#include "daemon/checks/filling.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define GROWTH_SECONDS_MIN 5

bool filling_is_on(const struct log_file_sample *file, const struct file_system_sample *place)
{
        return file->major == place->major && file->minor == place->minor;
}

double filling_growth(const struct log_file_sample *file)
{
        if (file->size_bytes == ABSENT || file->earlier_bytes == ABSENT ||
            file->earlier_usec < GROWTH_SECONDS_MIN * USEC_PER_SEC)
                return NAN;
        return ((double)file->size_bytes - (double)file->earlier_bytes) /
               ((double)file->earlier_usec / (double)USEC_PER_SEC);
}

const struct log_file_sample *filling_file(const struct sample *sample,
                                           const struct file_system_sample *place)
{
        const struct log_file_sample *fastest = NULL;
        double most = 0;
        for (size_t i = 0; i < sample->log_count; i++) {
                const struct log_file_sample *file = &sample->logs[i];
                double growth = filling_growth(file);
                if (filling_is_on(file, place) && growth > most) {
                        most = growth;
                        fastest = file;
                }
        }
        return fastest;
}

const struct log_file_sample *filling_deleted(const struct sample *sample,
                                              const struct file_system_sample *place)
{
        const struct log_file_sample *largest = NULL;
        for (size_t i = 0; i < sample->log_count; i++) {
                const struct log_file_sample *file = &sample->logs[i];
                if (file->kind == LOG_DELETED && filling_is_on(file, place) &&
                    (!largest || file->allocated_bytes > largest->allocated_bytes))
                        largest = file;
        }
        return largest;
}

static struct family family_of_program(const struct snapshot *snapshot, uint32_t index)
{
        const struct program *program = &snapshot->programs[index];
        return (struct family){ .name = program->name,
                                .ledger = program->ledger,
                                .cpu = program->cpu,
                                .read_bytes = program->read_bytes,
                                .write_bytes = program->write_bytes,
                                .memory_bytes = ABSENT,
                                .count = program->count,
                                .programs = { index },
                                .program_count = 1,
                                .is_kernel = program->is_kernel,
                                .is_batch = program->is_batch,
                                .is_idle_class = program->is_idle_class,
                                .delays_known = program->delays_known };
}

const struct family *filling_family(const struct snapshot *snapshot, struct filling_families *families,
                                    uint32_t pid)
{
        const struct process_sample *process = pid ? sample_find_process(snapshot->sample, pid) : NULL;
        if (!process || snapshot->process_count == 0)
                return NULL;
        const struct process_rate *rate = &snapshot->processes[process - snapshot->sample->processes];
        for (size_t i = 0; i < families->count; i++)
                if (strcmp(families->rows[i].name, snapshot->programs[rate->program].name) == 0)
                        return &families->rows[i];
        struct family *row =
                &families->rows[families->count < FAMILIES_MAX ? families->count++ : FAMILIES_MAX - 1];
        *row = family_of_program(snapshot, rate->program);
        return row;
}

/* Works there: its directory lies below the mount point. Everything lies below "/". */
static bool is_at_home(const struct snapshot *snapshot, const struct family *family,
                       const struct file_system_sample *place)
{
        uint32_t indices[4];
        for (uint32_t i = 0; i < family->program_count; i++) {
                size_t count = snapshot_program_processes(snapshot, family->programs[i], indices, 4);
                for (size_t k = 0; k < count; k++) {
                        const char *directory =
                                snapshot->processes[indices[k]].sample->identity->working_directory;
                        if (directory[0] && strcmp(directory, "/") != 0 &&
                            place_of_path(snapshot->sample, directory) == place)
                                return true;
                }
        }
        return false;
}

/* What reaches no disk (a tmpfs) is counted by write() alone, and only for the last interval. */
static double writes(const struct snapshot *snapshot, const struct family *family, bool is_memory)
{
        double sum = 0;
        if (!is_memory)
                return (double)family->write_bytes;
        for (uint32_t i = 0; i < family->program_count; i++) {
                uint32_t indices[8];
                size_t count = snapshot_program_processes(snapshot, family->programs[i], indices, 8);
                for (size_t k = 0; k < count; k++)
                        if (!isnan(snapshot->processes[indices[k]].write_chars))
                                sum += (double)snapshot->processes[indices[k]].write_chars;
        }
        return sum;
}

const struct family *filling_writer(const struct snapshot *snapshot, const struct file_system_sample *place,
                                    struct filling_families *families, double least)
{
        const struct log_file_sample *file = filling_file(snapshot->sample, place);
        const struct family *best = file ? filling_family(snapshot, families, file->writer_pid) : NULL;
        bool is_memory = strcmp(place->type, "tmpfs") == 0;
        double most = least;
        if (best)
                return best;
        for (size_t i = 0; i < families->count; i++) {
                double bytes = writes(snapshot, &families->rows[i], is_memory);
                if (families->rows[i].is_kernel || families->rows[i].is_self || !(bytes > most) ||
                    !is_at_home(snapshot, &families->rows[i], place))
                        continue;
                most = bytes;
                best = &families->rows[i];
        }
        return best;
}

bool is_plain_path(const char *path)
{
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+@:-/";
        /* One that was cut names another file. */
        return path[0] == '/' && path[strspn(path, plain)] == '\0' && strlen(path) < PATH_TEXT_MAX - 1;
}

const char *command_on_path(char buffer[static FINDING_TEXT_MAX], const char *path, const char *format, ...)
{
        va_list arguments;
        buffer[0] = '\0';
        if (!is_plain_path(path))
                return buffer;
        va_start(arguments, format);
        int length = vsnprintf(buffer, FINDING_TEXT_MAX, format, arguments);
        va_end(arguments);
        if (length < 0 || length >= FINDING_TEXT_MAX)
                buffer[0] = '\0'; /* half a command is another command */
        return buffer;
}
