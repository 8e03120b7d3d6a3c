/* The exported functions of libc that run a shell: shell.c. World: Guest. */
#ifndef DM_SHELL_H
#define DM_SHELL_H

/* Looks libc's functions up; takes the loader lock: in the constructor. */
void dm_shell_prepare(void);

#endif
