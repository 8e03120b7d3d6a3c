/* The exported exec family: exec.c. World: Guest. */
#ifndef DM_EXEC_H
#define DM_EXEC_H

#include <spawn.h>

typedef int spawn_function(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
                           char *const *, char *const *);

/* Looks libc's functions up; takes the loader lock: in the constructor. */
void dm_exec_prepare(void);

#endif
