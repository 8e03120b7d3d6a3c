/* World: Guest. */
#define _GNU_SOURCE
#include "own_table.h"

#include "dm_syscall.h"
#include "suspend.h"

#define CLOSE_RANGE_UNSHARE_FLAG 2
#define LAST_DESCRIPTOR 0x7fffffff
#ifndef __NR_pidfd_open
#define __NR_pidfd_open 434
#endif
#ifndef __NR_close_range
#define __NR_close_range 436
#endif
#ifndef __NR_pidfd_getfd
#define __NR_pidfd_getfd 438
#endif

int dm_table_can_be_borrowed(void)
{
    int64_t process = dm_syscall2(__NR_pidfd_open, dm_getpid(), 0);
    if (dm_is_error(process))
        return 0;
    int64_t again = dm_syscall3(__NR_pidfd_getfd, process, process, 0);
    if (!dm_is_error(again))
        dm_close((int)again);
    dm_close((int)process);
    return !dm_is_error(again);
}

int dm_table_leave(void)
{
    return (int)dm_syscall3(__NR_close_range, 0, LAST_DESCRIPTOR, CLOSE_RANGE_UNSHARE_FLAG);
}

int64_t dm_table_borrow(int fd)
{
    int64_t process = dm_syscall2(__NR_pidfd_open, dm_getpid(), 0);
    if (dm_is_error(process))
        return process;
    int64_t copy = dm_syscall3(__NR_pidfd_getfd, process, fd, 0);
    dm_close((int)process);
    return copy;
}

int dm_table_leave_with(uint32_t keep)
{
    if (keep == 0 || !dm_table_can_be_borrowed())
        return 0;
    if (dm_is_error(dm_syscall3(__NR_close_range, 0, keep - 1, CLOSE_RANGE_UNSHARE_FLAG)))
        return 0;
    dm_syscall3(__NR_close_range, keep + 1, LAST_DESCRIPTOR, 0);
    dm_close_in_program(keep);
    return 1;
}
