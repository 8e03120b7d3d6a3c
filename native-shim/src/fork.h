/* The exported functions that make processes: fork.c. World: Guest. */
#ifndef DM_FORK_H
#define DM_FORK_H

/* Looks libc's functions up; takes the loader lock: in the constructor. */
void dm_fork_prepare(void);

#endif
