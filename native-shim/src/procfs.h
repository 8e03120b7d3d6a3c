/* The few files of /proc that the suspension reads, with raw system calls. World: Frozen.
 * Formats: proc(5). */
#ifndef DM_PROCFS_H
#define DM_PROCFS_H

#include <stdbool.h>
#include <stdint.h>

#include "dm_thread.h"

/* Walks /proc/self/task. Recipe: open, next until 0, close. A failed open yields no threads. */
struct dm_task_list {
    int fd;
    int32_t position, filled;
    uint8_t buffer[4096] __attribute__((aligned(8)));
};
void dm_task_list_open(struct dm_task_list *list);
uint32_t dm_task_list_next(struct dm_task_list *list);
void dm_task_list_close(struct dm_task_list *list);

/* True when the thread has ended and only its number is left (state Z or X of /proc/.../stat). */
bool dm_task_is_zombie(uint32_t tid);

/* Signals in the queue of the thread, without our own: SigPnd of /proc/self/task/TID/status; bit 0 is signal 1. */
uint64_t dm_thread_pending(uint32_t tid);

/* To be called before the first dm_read_blocked_call of a suspension: the clocks drift. */
void dm_forget_cpu_clocks(void);

/* Fills call_number, call_pc and, for calls with a relative timeout, blocked_nanoseconds of the slot
 * from /proc/self/task/TID/{syscall,stat,sched}. -1 where the thread runs or the kernel does not tell.
 * voluntary_switches where it is needed to know later whether the thread is still in that call. To be called right before the
 * thread is signalled. */
void dm_read_blocked_call(uint32_t tid, struct dm_thread_slot *slot);

#endif
