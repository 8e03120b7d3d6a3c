/* Stops and resumes all threads of the program. World: Frozen. */
#ifndef DM_SUSPEND_H
#define DM_SUSPEND_H

#include <stdint.h>

#include "dm_thread.h"

/* Why dm_suspend failed; mirrored in C# (Interop/Suspension.cs). */
struct dm_suspend_failure {
    uint32_t tid;
    uint32_t zombie_leader; /* 1: the main thread has ended while others go on */
    int64_t call_number;    /* it is blocked in this system call, -1 unknown */
};

/* Suspends all threads but our own; returns when each stands in our handler, which no signal handler
 * of the program can have begun in. 0, or -ETIMEDOUT after `deadline_milliseconds` with *failure filled
 * (nothing stays suspended then), or another -errno. Caller: the checkpoint thread, holding the gate. */
int dm_suspend(uint32_t deadline_milliseconds, struct dm_suspend_failure *failure) __attribute__((warn_unused_result));

/* The slots of the suspended threads; valid until the next dm_suspend. */
struct dm_thread_slot *dm_suspended_slots(uint32_t *count);

/* Makes every parked thread note the signals that wait for it alone (pending.h); they stay in its queue. Called when
 * all members of the computation are suspended, so that no signal is on its way between them. */
void dm_capture_pending(void);

/* Has one of the parked threads close `descriptor` in the table that they share and we do not. */
void dm_close_in_program(uint32_t descriptor);

/* Lets all threads go on where they were, in this process or in a restored one. */
void dm_resume(void);

/* Whether threads stand still now. */
int dm_is_suspended(void);

/* Gets our own thread `tid` out of the wait in which it lets the signal in; and what is to be done when it is gone. Caller: a thread of
 * the program, holding the gate, so that no suspension goes on. */
void dm_interrupt_own_thread(uint32_t tid);
void dm_own_thread_interrupted(void);

/* Waits until the restored threads stand in the handler again. 0 or -ETIMEDOUT. */
int dm_await_restored(uint32_t deadline_milliseconds) __attribute__((warn_unused_result));

/* Target of the restorer's jump, see dm_image.h: takes the thread of `slot` up. */
void dm_restored_entry(uint64_t slot);

#endif
