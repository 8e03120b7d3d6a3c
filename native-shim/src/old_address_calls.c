/* The calls of libc that take or give the address of a socket: a woken program goes on using those that it knew.
 * World: the program's own.
 *
 * The real function is called always, with its cancellation point and its errno; where nothing has moved with the very
 * arguments. send(2), recv(2), read(2) and write(2) are not here: nothing is to be done for traffic of connected sockets.
 * Addresses are looked at after a call that may block: it may have begun before a checkpoint and end after the restart.
 */
#define _GNU_SOURCE
#include "old_address_calls.h"

#include <dlfcn.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "dm_syscall.h"
#include "old_addresses.h"
#include "socket_directories.h"

#define EXPORT __attribute__((visibility("default")))
#define LOCAL_PORT_RANGE 51 /* IP_LOCAL_PORT_RANGE, ip(7), Linux 6.3 */

static struct {
    int (*connect)(int, const struct sockaddr *, socklen_t);
    int (*bind)(int, const struct sockaddr *, socklen_t);
    int (*accept)(int, struct sockaddr *, socklen_t *);
    int (*accept4)(int, struct sockaddr *, socklen_t *, int);
    int (*getsockname)(int, struct sockaddr *, socklen_t *);
    int (*getpeername)(int, struct sockaddr *, socklen_t *);
    ssize_t (*sendto)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
    ssize_t (*sendmsg)(int, const struct msghdr *, int);
    int (*sendmmsg)(int, struct mmsghdr *, unsigned, int);
    ssize_t (*recvfrom)(int, void *, size_t, int, struct sockaddr *, socklen_t *);
    ssize_t (*recvmsg)(int, struct msghdr *, int);
    int (*recvmmsg)(int, struct mmsghdr *, unsigned, int, struct timespec *);
} s_real;

void dm_address_calls_prepare(void)
{
    s_real.bind = dlsym(RTLD_NEXT, "bind");
    s_real.accept = dlsym(RTLD_NEXT, "accept");
    s_real.accept4 = dlsym(RTLD_NEXT, "accept4");
    s_real.getsockname = dlsym(RTLD_NEXT, "getsockname");
    s_real.getpeername = dlsym(RTLD_NEXT, "getpeername");
    s_real.sendto = dlsym(RTLD_NEXT, "sendto");
    s_real.sendmsg = dlsym(RTLD_NEXT, "sendmsg");
    s_real.sendmmsg = dlsym(RTLD_NEXT, "sendmmsg");
    s_real.recvfrom = dlsym(RTLD_NEXT, "recvfrom");
    s_real.recvmsg = dlsym(RTLD_NEXT, "recvmsg");
    s_real.recvmmsg = dlsym(RTLD_NEXT, "recvmmsg");
    __atomic_store_n(&s_real.connect, dlsym(RTLD_NEXT, "connect"), __ATOMIC_RELEASE);
}

/* Another library's constructor may be earlier than ours. */
static inline void make_ready(void)
{
    if (__builtin_expect(__atomic_load_n(&s_real.connect, __ATOMIC_ACQUIRE) == NULL, 0))
        dm_address_calls_prepare();
}

/* --- what goes to the kernel -------------------------------------------------------------------------------------- */

static int protocol_of(int fd)
{
    const struct dm_address_table *table = dm_addresses();
    int protocol = 0;
    socklen_t bytes = sizeof protocol;
    if (table != NULL && table->ports != 0)
        (void)dm_syscall5(__NR_getsockopt, fd, SOL_SOCKET, SO_PROTOCOL, (int64_t)&protocol, (int64_t)&bytes);
    return protocol;
}

/* Where several hosts share one, the port tells whose a connection is. Without effect on a socket that has one. */
static void choose_port_range(int fd)
{
    const struct dm_port_range *range = dm_own_port_range();
    if (range == NULL)
        return;
    uint32_t value = (uint32_t)range->last << 16 | range->first;
    (void)dm_syscall5(__NR_setsockopt, fd, IPPROTO_IP, LOCAL_PORT_RANGE, (int64_t)&value, sizeof value);
}

/* The address to use instead: a copy in `room`, or the same. Linux takes AF_UNSPEC for AF_INET when a socket is bound to any
 * address (__inet_bind in net/ipv4/af_inet.c), and Open MPI relies on it. */
static const struct sockaddr *to_now(int fd, const struct sockaddr *address, socklen_t bytes,
                                     struct sockaddr_storage *room)
{
    if (dm_addresses() == NULL || address == NULL || bytes > sizeof *room || bytes < sizeof(sa_family_t) ||
        (address->sa_family != AF_INET && address->sa_family != AF_INET6 && address->sa_family != AF_UNSPEC))
        return address;
    memcpy(room, address, bytes);
    choose_port_range(fd);
    dm_address_to_now(room, bytes, protocol_of(fd));
    return (const struct sockaddr *)room;
}

EXPORT int connect(int fd, const struct sockaddr *address, socklen_t bytes)
{
    struct sockaddr_storage room;
    make_ready();
    return s_real.connect(fd, to_now(fd, address, bytes, &room), bytes);
}

EXPORT int bind(int fd, const struct sockaddr *address, socklen_t bytes)
{
    struct sockaddr_storage room;
    make_ready();
    int error = s_real.bind(fd, to_now(fd, address, bytes, &room), bytes);
    if (error == 0)
        dm_socket_directory_note(address, bytes);
    return error;
}

EXPORT ssize_t sendto(int fd, const void *data, size_t count, int flags, const struct sockaddr *address,
                      socklen_t bytes)
{
    struct sockaddr_storage room;
    make_ready();
    return s_real.sendto(fd, data, count, flags, to_now(fd, address, bytes, &room), bytes);
}

/* Of two addresses, that of the copy is in `room`. */
static struct msghdr header_to_now(int fd, const struct msghdr *message, struct sockaddr_storage *room)
{
    struct msghdr changed = *message;
    changed.msg_name = (void *)to_now(fd, message->msg_name, message->msg_namelen, room);
    return changed;
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    make_ready();
    if (dm_addresses() == NULL || message == NULL || message->msg_name == NULL)
        return s_real.sendmsg(fd, message, flags);
    struct sockaddr_storage room;
    struct msghdr changed = header_to_now(fd, message, &room);
    return s_real.sendmsg(fd, &changed, flags);
}

/* In turns: the stack of a thread may be small. Like the kernel, an error counts only when it is the first message's. */
EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    enum { AT_ONCE = 8 };
    make_ready();
    if (dm_addresses() == NULL || messages == NULL)
        return s_real.sendmmsg(fd, messages, count, flags);
    unsigned done = 0;
    for (unsigned turn; done < count; done += turn) {
        struct sockaddr_storage rooms[AT_ONCE];
        struct mmsghdr changed[AT_ONCE];
        turn = count - done < AT_ONCE ? count - done : AT_ONCE;
        for (unsigned i = 0; i < turn; i++)
            changed[i].msg_hdr = header_to_now(fd, &messages[done + i].msg_hdr, &rooms[i]);
        int sent = s_real.sendmmsg(fd, changed, turn, flags);
        for (int i = 0; i < sent; i++)
            messages[done + (unsigned)i].msg_len = changed[i].msg_len;
        if (sent < (int)turn)
            return done == 0 ? sent : (int)done + (sent > 0 ? sent : 0);
    }
    return (int)done;
}

/* --- what comes from the kernel ----------------------------------------------------------------------------------- */

/* The kernel has written as much as there was room for, and how much there is. */
static void to_shown(int fd, void *address, socklen_t room, socklen_t bytes, int is_own)
{
    if (dm_addresses() != NULL && address != NULL)
        dm_address_to_shown(address, bytes < room ? bytes : room, protocol_of(fd), is_own);
}

static socklen_t room_in(const struct sockaddr *address, const socklen_t *bytes)
{
    return address == NULL || bytes == NULL ? 0 : *bytes;
}

EXPORT int accept(int fd, struct sockaddr *address, socklen_t *bytes)
{
    socklen_t room = room_in(address, bytes);
    make_ready();
    int result = s_real.accept(fd, address, bytes);
    if (result >= 0 && room != 0)
        to_shown(fd, address, room, *bytes, 0);
    return result;
}

EXPORT int accept4(int fd, struct sockaddr *address, socklen_t *bytes, int flags)
{
    socklen_t room = room_in(address, bytes);
    make_ready();
    int result = s_real.accept4(fd, address, bytes, flags);
    if (result >= 0 && room != 0)
        to_shown(fd, address, room, *bytes, 0);
    return result;
}

typedef int name_call(int, struct sockaddr *, socklen_t *);

/* What is known of the very socket comes before what its addresses tell. */
static int name_of(name_call *real, int fd, struct sockaddr *address, socklen_t *bytes, int is_own)
{
    socklen_t room = room_in(address, bytes);
    int error = real(fd, address, bytes);
    if (error != 0 || dm_addresses() == NULL)
        return error;
    const struct dm_shown_name *shown = dm_shown_name_of(fd);
    uint32_t shown_bytes = shown == NULL ? 0 : is_own ? shown->local_bytes : shown->peer_bytes;
    if (shown_bytes == 0) {
        to_shown(fd, address, room, *bytes, is_own);
        return 0;
    }
    memcpy(address, is_own ? shown->local : shown->peer, shown_bytes < room ? shown_bytes : room);
    *bytes = shown_bytes;
    return 0;
}

EXPORT int getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict bytes)
{
    make_ready();
    return name_of(s_real.getsockname, fd, address, bytes, 1);
}

EXPORT int getpeername(int fd, struct sockaddr *restrict address, socklen_t *restrict bytes)
{
    make_ready();
    return name_of(s_real.getpeername, fd, address, bytes, 0);
}

EXPORT ssize_t recvfrom(int fd, void *restrict data, size_t count, int flags, struct sockaddr *restrict address,
                        socklen_t *restrict bytes)
{
    socklen_t room = room_in(address, bytes);
    make_ready();
    ssize_t result = s_real.recvfrom(fd, data, count, flags, address, bytes);
    if (result >= 0 && room != 0)
        to_shown(fd, address, room, *bytes, 0);
    return result;
}

void __chk_fail(void) __attribute__((noreturn));

/* With -D_FORTIFY_SOURCE. */
ssize_t __recvfrom_chk(int fd, void *data, size_t count, size_t capacity, int flags, struct sockaddr *address,
                       socklen_t *bytes);
EXPORT ssize_t __recvfrom_chk(int fd, void *data, size_t count, size_t capacity, int flags, struct sockaddr *address,
                              socklen_t *bytes)
{
    if (count > capacity)
        __chk_fail();
    return recvfrom(fd, data, count, flags, address, bytes);
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    socklen_t room = message == NULL || message->msg_name == NULL ? 0 : message->msg_namelen;
    make_ready();
    ssize_t result = s_real.recvmsg(fd, message, flags);
    if (result >= 0 && room != 0)
        to_shown(fd, message->msg_name, room, message->msg_namelen, 0);
    return result;
}

EXPORT int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
    make_ready();
    unsigned named = messages == NULL ? 0 : count < UIO_MAXIOV ? count : UIO_MAXIOV; /* more the kernel does not take */
    socklen_t rooms[named + 1];
    for (unsigned i = 0; i < named; i++)
        rooms[i] = messages[i].msg_hdr.msg_name == NULL ? 0 : messages[i].msg_hdr.msg_namelen;
    int result = s_real.recvmmsg(fd, messages, count, flags, timeout);
    for (int i = 0; i < result && i < (int)named; i++) {
        if (rooms[i] != 0)
            to_shown(fd, messages[i].msg_hdr.msg_name, rooms[i], messages[i].msg_hdr.msg_namelen, 0);
    }
    return result;
}
