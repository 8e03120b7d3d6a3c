/* getsockname(2) and getpeername(2) of connections that a restart could only make again under other addresses. World: the
 * program's own. Until then each is the system call and one comparison more.
 */
#define _GNU_SOURCE
#include "shown_names.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "dm_syscall.h"

#define EXPORT __attribute__((visibility("default")))
#define COOKIE 57 /* SO_COOKIE */

static const struct dm_shown_name *s_names;
static uint64_t s_count;

void dm_show_names(const struct dm_shown_name *names, uint64_t count)
{
    s_names = names;
    s_count = count;
}

static const struct dm_shown_name *find(int fd)
{
    uint64_t cookie = 0;
    socklen_t bytes = sizeof cookie;
    if (dm_syscall5(__NR_getsockopt, fd, SOL_SOCKET, COOKIE, (int64_t)&cookie, (int64_t)&bytes) < 0)
        return NULL;
    for (uint64_t i = 0; i < s_count; i++)
        if (s_names[i].cookie == cookie)
            return &s_names[i];
    return NULL;
}

static int result(int64_t value)
{
    if (value < 0) {
        errno = (int)-value;
        return -1;
    }
    return 0;
}

enum side { LOCAL, PEER };

/* When the call succeeds, the kernel has said that the socket and both pointers are good; it writes as much as there is room
 * for, and the length. */
static int name_of(enum side side, int fd, struct sockaddr *address, socklen_t *length)
{
    socklen_t room = s_count != 0 && length != NULL ? *length : 0;
    int64_t error = dm_syscall3(side == LOCAL ? __NR_getsockname : __NR_getpeername, fd, (int64_t)address, (int64_t)length);
    const struct dm_shown_name *name = s_count != 0 && error == 0 ? find(fd) : NULL;
    uint32_t bytes = name == NULL ? 0 : side == LOCAL ? name->local_bytes : name->peer_bytes;
    if (bytes != 0) {
        memcpy(address, side == LOCAL ? name->local : name->peer, bytes < room ? bytes : room);
        *length = bytes;
    }
    return result(error);
}

EXPORT int getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
    return name_of(LOCAL, fd, address, length);
}

EXPORT int getpeername(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
    return name_of(PEER, fd, address, length);
}
