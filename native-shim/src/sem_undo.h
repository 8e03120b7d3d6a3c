/* What SEM_UNDO will take back when this process ends: the kernel keeps it, and shows it to nobody (semop(2), struct sem_undo of
 * ipc/sem.c). So it is counted here. World: the program's own (semop, semtimedop), Frozen (the rest).
 *
 * Who sets a value (SETVAL, SETALL of semctl(2)) makes the kernel forget what all processes would take back; the time of the last
 * change of the set tells whether somebody has, in whole seconds. A program that is executed inherits what the old one would take back,
 * execve(2): it hears of it by a variable of its environment (membership.h).
 */
#ifndef DM_SEM_UNDO_H
#define DM_SEM_UNDO_H

#include <stdint.h>

/* Mirrored in C# (SystemV/SemaphoreUndo.cs). */
struct dm_sem_undo {
    int32_t set;
    int32_t number;
    int32_t adjustment; /* what exit(2) adds: semadj */
    uint32_t reserved;
    int64_t since; /* CLOCK_REALTIME, seconds: no call that it counts was before */
};

#define DM_SEM_UNDO_MOST 256

/* All that is not 0, `undo` has room for DM_SEM_UNDO_MOST. The number, or -EOVERFLOW when the program has used more than we keep. While
 * all threads stand still. */
int32_t dm_sem_undo_list(struct dm_sem_undo *undo);

/* In a restored process that has them again: whoever had set a value did so before `second`. */
void dm_sem_undo_since(int64_t second);

#define DM_SEM_UNDO_VARIABLE "DORMOUSE_UNDO="

/* For the environment of a program that this process executes: what it inherits, or NULL. Lives until the next call.
 * Async-signal-safe. */
char *dm_sem_undo_entry(void);

/* In a program that has just been executed: an entry of its environment. One that was meant for another process is nothing. */
void dm_sem_undo_take(const char *entry);

/* In a new process, at its start: a child of fork(2) has nothing to take back. */
void dm_sem_undo_begin(void);

#endif
