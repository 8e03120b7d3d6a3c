/* World: the program's own. */
#define _GNU_SOURCE
#include "own_process.h"

#include "dm_syscall.h"

static int64_t s_process;

void dm_own_process_begin(void)
{
    s_process = dm_getpid();
}

bool dm_is_own_process(void)
{
    return s_process != 0 && dm_getpid() == s_process;
}
