/* One member wakes: from a fork of the restorer to the restored program. World: Bare. */
#ifndef DM_MEMBER_H
#define DM_MEMBER_H

#include "run.h"

_Noreturn void dm_member_wake(struct dm_run *run, int32_t index);

#endif
