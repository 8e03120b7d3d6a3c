/* World: Guest, vfork(2) child, signal handler: raw system calls, some kilobytes of stack. See exec_target.h. */
#define _GNU_SOURCE
#include "exec_target.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dm_syscall.h"

enum {
    SCRIPT_BYTES = 256,    /* what the kernel reads of a script, BINPRM_BUF_SIZE in include/uapi/linux/binfmts.h */
    MOST_INTERPRETERS = 5, /* that many it follows, bprm_execve in fs/exec.c */
    MOST_HEADERS = 64,
};

static int is_regular(int directory, const char *path)
{
    struct stat status;
    int64_t error = dm_syscall4(__NR_newfstatat, directory, (int64_t)path, (int64_t)&status, AT_EMPTY_PATH);
    return error == 0 && S_ISREG(status.st_mode);
}

/* A copy of the descriptor for an empty path: it may be one of O_PATH, which cannot be read. */
static int open_target(int directory, const char *path)
{
    char own[32] = "/proc/self/fd/";
    if (path == NULL || !is_regular(directory, path))
        return -1;
    if (*path == '\0') {
        char digits[12];
        size_t count = 0;
        for (unsigned rest = (unsigned)directory; count == 0 || rest != 0; rest /= 10)
            digits[count++] = (char)('0' + rest % 10);
        char *to = own + strlen(own);
        while (count > 0)
            *to++ = digits[--count];
        path = own;
    }
    return (int)dm_openat(directory, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
}

/* glibc's loader is ld-linux-x86-64.so.2, wherever it lies. */
static int is_glibc_loader(const char *path)
{
    const char *name = strrchr(path, '/');
    return strncmp(name == NULL ? path : name + 1, "ld-linux-x86-64", sizeof "ld-linux-x86-64" - 1) == 0;
}

static int elf_carries(int fd, const Elf64_Ehdr *header)
{
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != EM_X86_64)
        return 0;
    for (unsigned i = 0; i < header->e_phnum && i < MOST_HEADERS; i++) {
        Elf64_Phdr program;
        uint64_t offset = header->e_phoff + (uint64_t)i * sizeof program;
        if (dm_pread(fd, &program, sizeof program, offset) != sizeof program || program.p_type != PT_INTERP)
            continue;
        char loader[128] = "";
        (void)dm_pread(fd, loader, sizeof loader - 1, program.p_offset);
        return is_glibc_loader(loader);
    }
    return 1;
}

/* The interpreter of "#! /bin/sh -e", in place, or NULL. */
static char *interpreter_of(char *script)
{
    char *start = script + 2 + strspn(script + 2, " \t");
    start[strcspn(start, " \t\r\n")] = '\0';
    return *start == '\0' ? NULL : start;
}

int dm_target_carries(int directory, const char *path)
{
    char start[SCRIPT_BYTES + 1];
    _Static_assert(SCRIPT_BYTES >= sizeof(Elf64_Ehdr), "an ELF header fits");
    for (int depth = 0; depth < MOST_INTERPRETERS && path != NULL; depth++) {
        int fd = open_target(directory, path);
        if (fd < 0)
            return 1;
        memset(start, 0, sizeof start);
        (void)dm_pread(fd, start, SCRIPT_BYTES, 0);
        if (memcmp(start, ELFMAG, SELFMAG) == 0) {
            Elf64_Ehdr header;
            memcpy(&header, start, sizeof header);
            int carries = elf_carries(fd, &header);
            dm_close(fd);
            return carries;
        }
        dm_close(fd);
        if (start[0] != '#' || start[1] != '!')
            return 1;
        directory = AT_FDCWD;
        path = interpreter_of(start);
    }
    return 1;
}

static int may_execute(const char *path)
{
    return is_regular(AT_FDCWD, path) && dm_syscall3(__NR_faccessat, AT_FDCWD, (int64_t)path, 1 /* X_OK */) == 0;
}

int dm_target_carries_in_path(const char *file)
{
    if (strchr(file, '/') != NULL)
        return dm_target_carries(AT_FDCWD, file);
    const char *list = getenv("PATH");
    if (list == NULL)
        list = "/bin:/usr/bin"; /* confstr(_CS_PATH), as in glibc's posix/execvpe.c */
    size_t file_bytes = strlen(file);
    for (;;) {
        char path[PATH_MAX];
        size_t bytes = strcspn(list, ":");
        if (bytes + file_bytes + 2 <= sizeof path) {
            char *to = mempcpy(path, list, bytes);
            if (bytes > 0)
                *to++ = '/';
            memcpy(to, file, file_bytes + 1);
            if (may_execute(path))
                return dm_target_carries(AT_FDCWD, path);
        }
        if (list[bytes] == '\0')
            return 1;
        list += bytes + 1;
    }
}
