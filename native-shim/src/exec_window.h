/* Keeps exec(2) and the suspension's signal apart. */
#ifndef DM_EXEC_WINDOW_H
#define DM_EXEC_WINDOW_H

#include <stdbool.h>

/* Nobody has entered yet: at the start, and in a new child. */
void dm_exec_window_begin(void);

/* Before execve(2). Waits while a suspension goes on. True: call dm_exec_leave when the call has failed.
 * World: the program's own; async-signal-safe. */
bool dm_exec_enter(void);

void dm_exec_leave(bool entered);

/* World: Frozen. From now on nobody enters; and whether somebody has before, and is still in there. */
void dm_exec_close(void);
bool dm_exec_is_entered(void);

void dm_exec_open(void);

#endif
