/* The raw system call for C#: no errno, no cancellation point. World: Guest, Frozen. */
#include "dm_syscall.h"

int64_t dm_raw_call(int64_t number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f);

int64_t dm_raw_call(int64_t number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f)
{
    return dm_syscall6(number, a, b, c, d, e, f);
}
