/* malloc's settings, mlockall and prefaulting, and what is let go of. */
#include "daemon/own_memory.h"

#include <errno.h>
#include <link.h>
#include <linux/capability.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ /* Linux 5.14; glibc 2.35 has it */
#define MADV_POPULATE_READ 22
#endif

#ifndef MADV_DONTNEED_LOCKED /* Linux 5.18; glibc 2.36 has it */
#define MADV_DONTNEED_LOCKED 24
#endif

#define TRIM_BYTES (64 * 1024)  /* free memory kept at the heap's top */
#define MMAP_BYTES (128 * 1024) /* larger blocks are given back when they are freed */

/* Set by the linker: the program's first byte and the end of its code. */
extern const char __executable_start[], etext[];

static char *heap_begin; /* about: what malloc has taken before is little */
static bool is_locked;

void own_memory_tune(void)
{
        heap_begin = sbrk(0);
        /* No huge pages: where they are given to everybody (Debian: always) the first touch of a thread's
         * stack takes 2 MB of it, and they stay, locked. Seen: 25 MB where 10 do. */
        (void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
        /* one arena: the worker and the loop hardly ever allocate at the same time, and each further arena
         * holds on to its own free memory */
        (void)mallopt(M_ARENA_MAX, 1);
        (void)mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
        (void)mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
}

static bool has_capability(int capability)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
        if (syscall(SYS_capget, &header, data) < 0)
                return false;
        return (data[capability / 32].effective & (1U << (capability % 32))) != 0;
}

void own_memory_lock(void)
{
        struct rlimit limit;
        if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
                return;
        /* Under a limit, MCL_FUTURE would count every later mapping against it, touched or not: the next
         * thread's stack of 8 MB would not be had. All or nothing, then. */
        if (limit.rlim_cur != RLIM_INFINITY && !has_capability(CAP_IPC_LOCK))
                return;
        /* on fault: locking all that is mapped, and not what is used, would cost 30 MB for libraries alone */
        if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
                return;
        is_locked = true;
        /* our own code is small: have it there before it is needed for the first time on a sick machine */
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        const char *begin = __executable_start - (uintptr_t)__executable_start % page;
        (void)madvise((void *)begin, (size_t)(etext - begin),
                      MADV_POPULATE_READ); /* or not: an older kernel */
}

/* Answering must not wait for a disk that is sick: what it has touched of these stays. The C library stays
 * also because everybody has it in memory anyway, and nobody can do without. */
static const char *const kept_libraries[] = { "/libc.so", "/ld-linux", "/libjson-c.so", "/libuv.so" };

static bool is_kept(const char *library)
{
        for (size_t i = 0; i < sizeof(kept_libraries) / sizeof(kept_libraries[0]); i++)
                if (strstr(library, kept_libraries[i]))
                        return true;
        return false;
}

/* One that is relocated in its code (never seen) has written to pages that are not written to otherwise. */
static bool has_text_relocations(const struct dl_phdr_info *library)
{
        for (size_t i = 0; i < library->dlpi_phnum; i++) {
                if (library->dlpi_phdr[i].p_type != PT_DYNAMIC)
                        continue;
                const uintptr_t at = library->dlpi_addr + library->dlpi_phdr[i].p_vaddr;
                const void *dynamic;
                memcpy(&dynamic, &at, sizeof(dynamic));
                for (const ElfW(Dyn) *entry = dynamic; entry->d_tag != DT_NULL; entry++)
                        if (entry->d_tag == DT_TEXTREL ||
                            (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL)))
                                return true;
        }
        return false;
}

static int forget_library(struct dl_phdr_info *library, size_t size, void *userdata)
{
        const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
        (void)size;
        (void)userdata;
        /* the program itself has no name, the kernel's page of code no path */
        if (library->dlpi_name[0] != '/' || is_kept(library->dlpi_name) || has_text_relocations(library))
                return 0;
        for (size_t i = 0; i < library->dlpi_phnum; i++) {
                const ElfW(Phdr) *segment = &library->dlpi_phdr[i];
                /* What is never written to is in the file as it is in memory. */
                if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W))
                        continue;
                uintptr_t begin = library->dlpi_addr + segment->p_vaddr;
                uintptr_t end = (begin + segment->p_memsz + page - 1) / page * page;
                begin -= begin % page;
                (void)syscall(SYS_madvise, begin, end - begin,
                              MADV_DONTNEED_LOCKED); /* or not: an older kernel */
        }
        return 0;
}

void own_memory_forget_start(void)
{
        (void)dl_iterate_phdr(forget_library, NULL);
}

void own_memory_give_back(void)
{
        /* The kernel takes no page out of what is locked (madvise(2): EINVAL), so for this moment it is not.
         */
        char *end = sbrk(0);
        if (is_locked && end > heap_begin)
                (void)munlock(heap_begin, (size_t)(end - heap_begin));
        (void)malloc_trim(TRIM_BYTES);
        end = sbrk(0);
        if (is_locked && end > heap_begin)
                (void)mlock2(heap_begin, (size_t)(end - heap_begin), MLOCK_ONFAULT);
}
