/* SO_REUSEADDR of TCP sockets: the program reads what it has set. World: the program's own.
 *
 * A checkpoint sets the kernel's flag, without which the ports of killed processes are taken for a minute. Where the program had
 * not, it also sets SO_NOFCS, a flag that only packet sockets look at (net/packet/af_packet.c): a mark that every holder of the
 * socket sees, and that accepted ones inherit (Sockets/PortReuse.cs, docs/decisions/0028). The flag with the mark reads 0.
 *
 * A checkpoint may come between any two calls here. It sets the mark only where the flag is 0, and takes it from nobody.
 */
#define _GNU_SOURCE
#include "reuse_address.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "dm_syscall.h"

#define EXPORT __attribute__((visibility("default")))

static struct {
    int (*getsockopt)(int, int, int, void *restrict, socklen_t *restrict);
    int (*setsockopt)(int, int, int, const void *, socklen_t);
} s_real;

void dm_reuse_address_prepare(void)
{
    s_real.setsockopt = dlsym(RTLD_NEXT, "setsockopt");
    __atomic_store_n(&s_real.getsockopt, dlsym(RTLD_NEXT, "getsockopt"), __ATOMIC_RELEASE);
}

/* Another library's constructor may be earlier than ours. */
static inline void make_ready(void)
{
    if (__builtin_expect(__atomic_load_n(&s_real.getsockopt, __ATOMIC_ACQUIRE) == NULL, 0))
        dm_reuse_address_prepare();
}

static inline bool is_reuse_address(int level, int option)
{
    return __builtin_expect(level == SOL_SOCKET && option == SO_REUSEADDR, 0);
}

/* 0 when it cannot be read. */
static int value_of(int fd, int option)
{
    int value = 0;
    socklen_t bytes = sizeof value;
    (void)dm_syscall5(__NR_getsockopt, fd, SOL_SOCKET, option, (int64_t)&value, (int64_t)&bytes);
    return value;
}

/* A packet socket's SO_NOFCS is the program's. */
static bool has_mark(int fd)
{
    return value_of(fd, SO_NOFCS) == 1 && value_of(fd, SO_TYPE) == SOCK_STREAM;
}

/* Why: the kernel's flag is 1 where the program has 0. What was written is overwritten, as much of it as there is. */
EXPORT int getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict bytes)
{
    make_ready();
    int error = s_real.getsockopt(fd, level, option, value, bytes);
    if (is_reuse_address(level, option) && error == 0 && has_mark(fd))
        memset(value, 0, *bytes);
    return error;
}

/* Why: 0 must not clear the kernel's flag, and 1 must take the mark away. The flag with the mark needs no change, so the kernel is
 * given the value for the mark instead: it looks at the arguments as it would for the flag (sk_setsockopt in net/core/sock.c). Then
 * the mark, which means the opposite, is turned round. */
EXPORT int setsockopt(int fd, int level, int option, const void *value, socklen_t bytes)
{
    make_ready();
    if (!is_reuse_address(level, option))
        return s_real.setsockopt(fd, level, option, value, bytes);
    bool was_marked = has_mark(fd) && value_of(fd, SO_REUSEADDR) == 1;
    int error = s_real.setsockopt(fd, level, was_marked ? SO_NOFCS : SO_REUSEADDR, value, bytes);
    if (error == 0 && (was_marked || has_mark(fd))) {
        int wanted, mark;
        memcpy(&wanted, value, sizeof wanted); /* the kernel has read it */
        mark = wanted == 0;
        (void)dm_syscall5(__NR_setsockopt, fd, SOL_SOCKET, SO_NOFCS, (int64_t)&mark, sizeof mark);
    }
    return error;
}
