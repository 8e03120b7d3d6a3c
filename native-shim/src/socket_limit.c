/* World: Frozen. */
#define _GNU_SOURCE
#include "socket_limit.h"

#include <sys/socket.h>

#include "core.h"
#include "dm_syscall.h"
#include "own_table.h"

int dm_limit_of_call(int64_t number)
{
    switch (number) {
    case __NR_read:
    case __NR_readv:
    case __NR_recvfrom:
    case __NR_recvmsg:
    case __NR_recvmmsg:
    case __NR_accept:
    case __NR_accept4:
        return SO_RCVTIMEO;
    case __NR_write:
    case __NR_writev:
    case __NR_sendto:
    case __NR_sendmsg:
    case __NR_sendmmsg:
    case __NR_connect:
        return SO_SNDTIMEO;
    default:
        return 0;
    }
}

bool dm_socket_has_limit(int fd, int option)
{
    bool is_borrowed = dm_self()->owns_table != 0;
    int64_t own = is_borrowed ? dm_table_borrow(fd) : fd;
    if (dm_is_error(own))
        return false;
    int64_t limit[2] = {0, 0}; /* struct timeval */
    uint32_t bytes = sizeof limit;
    int64_t error = dm_syscall5(__NR_getsockopt, own, SOL_SOCKET, option, (int64_t)limit, (int64_t)&bytes);
    if (is_borrowed)
        dm_close((int)own);
    return error == 0 && (limit[0] != 0 || limit[1] != 0);
}
