/* What the command line tools need that .NET cannot give. World: ordinary; linked into the launcher executable only.
 *
 * Starting the .NET runtime changes the process: SIGPIPE becomes ignored, other signals get handlers, the soft limit of
 * open files is raised to the hard one. Ignored signals, the mask and the limits outlive execve(2), so the program and its
 * children would notice. A constructor remembers all of it before main, and dm_start_exec puts it back.
 * dotnet/runtime src/coreclr/nativeaot/Runtime/unix/PalUnix.cpp, src/native/libs/System.Native/pal_signal.c
 *
 * Functions return 0 or a result, or -errno. Paths are NUL-terminated. */
#ifndef DM_LAUNCHER_START_H
#define DM_LAUNCHER_START_H

#include <stdint.h>

/* The part of stat(2) that is needed. */
struct dm_start_file {
    uint64_t device;
    uint64_t inode;
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
    uint32_t has_capabilities; /* security.capability is set: exec of it ignores LD_PRELOAD, ld.so(8) */
};

/* argv[index] as the process got it, or NULL. What is not UTF-8 in it is still there. */
const char *dm_start_argument(int32_t index);

/* Puts dispositions, limits and, last, the mask back to what they were: nothing may be delivered to a handler of the runtime.
 * For a caller that becomes another program by itself; nothing but exec should follow. */
void dm_start_restore(void);

/* Becomes the program: dispositions, mask and limits as they were at the start; descriptors opened since are closed.
 * argv are this process's own from `index` on; `environment` ("NAME=value", NULL-terminated) is added to its own, replacing
 * what has the same name. Returns only on failure. */
int32_t dm_start_exec(const char *path, int32_t index, char *const *environment) __attribute__((warn_unused_result));

/* As dm_start_exec, with arguments of its own; "NAME" without a value takes a variable out of the environment. The
 * descriptor `keep` stays open (-1: none). */
int32_t dm_start_become(const char *path, char *const *argv, char *const *environment, int32_t keep)
    __attribute__((warn_unused_result));

/* Starts a program that is nobody's child in this computation, but has our session, group, terminal and standard error; its
 * standard input and output are pipes, whose other ends are put into *to and *from (closed on exec, owned by the caller). A
 * program that cannot be executed ends with 127. */
int32_t dm_start_orphan(const char *path, char *const *argv, char *const *environment, int32_t *to, int32_t *from)
    __attribute__((warn_unused_result));

/* Starts `path` with `argv` as a daemon: own session, no terminal, standard descriptors at /dev/null, working directory /,
 * signals as at the start. It inherits one more descriptor, number 3: the end of a pipe to say how it went, whose other end is
 * put into *ready (closed on exec, owned by the caller). */
int32_t dm_start_daemon(const char *path, char *const *argv, char *const *environment, int32_t *ready)
    __attribute__((warn_unused_result));

/* Follows symbolic links. Descriptor form: path NULL; -EBADF for one that was not open at the start. */
int32_t dm_start_stat(const char *path, int32_t fd, struct dm_start_file *file) __attribute__((warn_unused_result));

/* Makes `path` a directory of mode 0700 that belongs to this user, or says with -EPERM that somebody else was there first. */
int32_t dm_start_private_directory(const char *path) __attribute__((warn_unused_result));

/* access(2) with the effective IDs: 0 when all of `mode` (R_OK 4, W_OK 2, X_OK 1) is allowed. */
int32_t dm_start_access(const char *path, int32_t mode) __attribute__((warn_unused_result));

#endif
