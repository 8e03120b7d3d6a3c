/* Whether a program that is about to be started can carry our library. World: Guest, vfork(2) child, signal handler.
 *
 * The loaders of other architectures, 32 bits and musl complain about an LD_PRELOAD that they cannot load, or end the
 * program: they must not see ours. A static program ignores it and hands it on, which is welcome. Nothing here refuses
 * anything: a checkpoint says by name who cannot be in it. */
#ifndef DM_EXEC_TARGET_H
#define DM_EXEC_TARGET_H

/* 1 or 0; 1 also when the file cannot be read: the kernel will judge. `directory` and `path` as for openat(2); an empty
 * path means the descriptor itself. Interpreters of scripts are followed. errno is left alone. */
int dm_target_carries(int directory, const char *path);

/* The same for a file that is looked for in PATH when its name has no slash, execvp(3). */
int dm_target_carries_in_path(const char *file);

#endif
