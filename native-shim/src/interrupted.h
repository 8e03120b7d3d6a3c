/* Makes the suspension invisible to a thread that was blocked in a system call. World: Frozen. */
#ifndef DM_INTERRUPTED_H
#define DM_INTERRUPTED_H

#include <ucontext.h>

#include "dm_thread.h"

/* What /proc told of a thread before it was signalled. */
struct dm_blocked_call {
    int64_t number;      /* -1: it was running */
    uint64_t pc;         /* behind the syscall instruction */
    int64_t nanoseconds; /* that it had been blocked for when it was signalled, or -1 */
};

/* What the slot tells of the call that the calling thread was in when our signal came. It was seen before: when the thread has blocked
 * anew since, it is in another call, or in the same one once more, and that has just begun. */
struct dm_blocked_call dm_blocked_call_of(const struct dm_thread_slot *slot);

/* Called when the suspension is over: looks at the signal frame `context` and, when our signal
 * made a system call fail with EINTR or cut a transfer short, changes the frame so that the
 * call goes on. When a signal of the program waits to be handled, the call ends for that one instead, as if ours had not been.
 * `room` lies in the handler's frame and stays valid until the call has ended, since the thread's rsp is then set to it. */
void dm_continue_interrupted_call(const struct dm_blocked_call *blocked, ucontext_t *context,
                                  struct dm_resume_call *room);

#endif
