/* /proc/PID/exe, for who may not set it: PR_SET_MM_MAP takes another file from CAP_CHECKPOINT_RESTORE only, prctl(2). World: Bare.
 *
 * A member executes its program's file, and has the kernel's link from that. It is ld.so that runs then, and before it does anything
 * else it lets an auditing library speak, rtld-audit(7): that is the restorer once more, linked as a library, which goes on
 * where the member has left. ld.so is told to list libraries and not to start the program, should it ever come to that.
 */
#ifndef DM_PROGRAM_FILE_H
#define DM_PROGRAM_FILE_H

#include <stdint.h>

#include "run.h"

/* Does not come back when it succeeds. Else the program lives with the restorer's name in that link. */
void dm_become_program_file(struct dm_run *run, int32_t index);

/* In the auditing library: wakes the member that the environment names. Comes back when it names none. */
void dm_wake_again(void);

#endif
