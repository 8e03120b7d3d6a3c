/* Which system call a thread was in that our signal has interrupted. World: Frozen.
 *
 * A signal frame does not have the number: orig_rax is not part of it, and rax is the result. What /proc told before the signal was
 * sent may be old by then: the thread runs until the signal comes. So what the thread itself has is asked first.
 */
#ifndef DM_CALL_SITE_H
#define DM_CALL_SITE_H

#include <stdbool.h>
#include <ucontext.h>

#include "interrupted.h"

/* The number of the call whose syscall instruction is right before the rip of the frame, or -1 when nobody can tell. */
int64_t dm_interrupted_call_number(const struct dm_blocked_call *blocked, const ucontext_t *context);

/* As far as the code alone tells: `after` is the address behind a syscall instruction, `registers` as they are there
 * (index: the number that the processor gives them), -1 when it does not say. */
int64_t dm_call_number_in_code(uint64_t after, const uint64_t *registers);

/* Whether it will say, once the registers are known. */
bool dm_code_has_call_number(uint64_t after);

#endif
