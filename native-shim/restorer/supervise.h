/* The process that dmrestart has become. World: Bare.
 *
 * It makes the pods, waits until the coordinator says that the restart is done,
 * passes signals on, takes part in the job control of its terminal, and ends as
 * the first root ends. When the restart fails it leaves no process behind.
 */
#ifndef DM_SUPERVISE_H
#define DM_SUPERVISE_H

#include "run.h"

/* Exit status when nothing was restarted, as of env(1) and timeout(1). */
#define DM_EXIT_NOT_RESTARTED 125

_Noreturn void dm_supervise(struct dm_run *run);

#endif
