/* Makes the suspension invisible to a thread that was blocked in a system call. World: Frozen. */
#ifndef DM_INTERRUPTED_H
#define DM_INTERRUPTED_H

#include <ucontext.h>

#include "dm_thread.h"

/* Looks at the signal frame `context` of the suspended thread of `slot` and, when our signal
 * made a system call fail with EINTR or cut a transfer short, changes the frame so that the
 * call goes on after the suspension. `room` lies in the handler's frame and stays valid until
 * the call has ended, since the thread's rsp is then set to it. */
void dm_continue_interrupted_call(const struct dm_thread_slot *slot, ucontext_t *context, struct dm_resume_call *room);

#endif
