/* Proves: SO_REUSEADDR reads what the program has set, before and after checkpoints and
 * restarts, on whatever TCP socket it is, also when it is changed, by who has got the
 * socket from another process, and over exec. */
#include "../sample.h"
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum { MOST = 64, LISTENERS = 8 };

/* is_kept: the kernel has it although the program has not set it. */
struct subject { const char *name; int fd; bool is_set, turns, is_kept; };

static struct subject s_subjects[MOST];
static int s_count;
static struct { struct subject *listener; struct sockaddr_in6 address; socklen_t length; } s_listeners[LISTENERS];

static void set(struct subject *one, int value)
{
    errno = E2BIG;
    CHECK(setsockopt(one->fd, SOL_SOCKET, SO_REUSEADDR, &value, sizeof value) == 0, "%s: setsockopt: %s", one->name, strerror(errno));
    CHECK(errno == E2BIG, "%s: setsockopt leaves errno %d behind", one->name, errno);
    one->is_set = value != 0;
    one->is_kept &= !one->is_set;
}

static struct subject *add(const char *name, int fd, bool is_set, bool turns)
{
    CHECK(s_count < MOST, "too many sockets");
    s_subjects[s_count] = (struct subject){ .name = name, .fd = fd, .is_set = is_set, .turns = turns };
    return &s_subjects[s_count++];
}

static struct subject *make(const char *name, int family, int type, bool is_set, bool turns)
{
    struct subject *one = add(name, TRY(socket(family, type, 0)), is_set, turns);
    if (is_set)
        set(one, 1);
    return one;
}

/* Whatever part of it is asked for; and what was set for the program's sake stays so. */
static void check(struct subject *one)
{
    int value = 7, kernel = 7;
    unsigned char first[2] = { 7, 7 };
    socklen_t bytes = sizeof value, few = 1, none = 0;
    errno = E2BIG;
    CHECK(getsockopt(one->fd, SOL_SOCKET, SO_REUSEADDR, &value, &bytes) == 0 && bytes == sizeof value, "%s: getsockopt: %s, %u bytes", one->name, strerror(errno), bytes);
    CHECK(value == one->is_set, "%s: SO_REUSEADDR is %d, was set to %d", one->name, value, one->is_set);
    CHECK(getsockopt(one->fd, SOL_SOCKET, SO_REUSEADDR, first, &few) == 0 && few == 1 && first[0] == one->is_set && first[1] == 7, "%s: the first byte of SO_REUSEADDR is %d of %u, then %d",
          one->name, first[0], few, first[1]);
    CHECK(getsockopt(one->fd, SOL_SOCKET, SO_REUSEADDR, NULL, &none) == 0 && none == 0, "%s: getsockopt of nothing: %s", one->name, strerror(errno));
    CHECK(errno == E2BIG, "%s: getsockopt leaves errno %d behind", one->name, errno);
    bytes = sizeof kernel;
    TRY(syscall(SYS_getsockopt, one->fd, SOL_SOCKET, SO_REUSEADDR, &kernel, &bytes));
    CHECK(kernel == 1 || (!one->is_set && !one->is_kept), "%s: the kernel no longer has SO_REUSEADDR", one->name);
    one->is_kept = kernel != one->is_set;
}

static void refuse(const struct subject *one, int fd, int value, const void *at, socklen_t bytes, int error)
{
    errno = 0;
    CHECK(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, at ? at : &value, bytes) == -1 && errno == error, "%s: setsockopt(%d, %p, %u) is %s, not %s", one->name, value, at, bytes,
          strerror(errno), strerror(error));
}

/* The kernel refuses them, and nothing has changed. */
static void check_errors(struct subject *one)
{
    void *volatile nowhere = (void *)8;
    socklen_t bytes = sizeof(int);
    int pipes[2];
    TRY(pipe(pipes));
    for (int value = 0; value < 2; value++) {
        refuse(one, one->fd, value, NULL, 3, EINVAL);
        refuse(one, one->fd, value, nowhere, sizeof value, EFAULT);
        refuse(one, pipes[0], value, NULL, sizeof value, ENOTSOCK);
    }
    close(pipes[0]);
    close(pipes[1]);
    refuse(one, pipes[0], 0, NULL, sizeof(int), EBADF);
    CHECK(getsockopt(one->fd, SOL_SOCKET, SO_REUSEADDR, nowhere, &bytes) == -1 && errno == EFAULT, "%s: getsockopt to nowhere: %s", one->name, strerror(errno));
    check(one);
}

/* SO_NOFCS belongs to the program on sockets that are not TCP. */
static void check_other_option(void)
{
    struct subject one = { .name = "UDP with SO_NOFCS", .fd = TRY(socket(AF_INET, SOCK_DGRAM, 0)) };
    int value = 1;
    socklen_t bytes = sizeof value;
    TRY(setsockopt(one.fd, SOL_SOCKET, SO_NOFCS, &value, sizeof value));
    set(&one, 1);
    check(&one);
    TRY(getsockopt(one.fd, SOL_SOCKET, SO_NOFCS, &value, &bytes));
    CHECK(value == 1, "%s: that is %d", one.name, value);
    close(one.fd);
}

static int connect_to(int listener, int fd)
{
    TRY(connect(fd, (void *)&s_listeners[listener].address, s_listeners[listener].length));
    return fd;
}

static int accept_from(int listener)
{
    return TRY(accept(s_listeners[listener].listener->fd, NULL, NULL));
}

/* Leaves nothing in TIME_WAIT. */
static void reset(int fd)
{
    struct linger now = { 1, 0 };
    TRY(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now));
    close(fd);
}

/* A listener, a connection to it, and, when it stays as it is, one that waits. */
static void listen_on(int number, int family, bool is_set, bool turns)
{
    struct sockaddr_in6 *address = &s_listeners[number].address;
    socklen_t *length = &s_listeners[number].length;
    struct subject *listener = make(family == AF_INET ? "listener" : "listener of IPv6", family, SOCK_STREAM, is_set, turns);
    if (family == AF_INET)
        *(struct sockaddr_in *)address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    else
        *address = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
    *length = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    TRY(bind(listener->fd, (void *)address, *length));
    TRY(listen(listener->fd, 5));
    TRY(getsockname(listener->fd, (void *)address, length));
    s_listeners[number].listener = listener;
    connect_to(number, make("client", family, SOCK_STREAM, !is_set, turns)->fd);
    add("accepted connection", accept_from(number), is_set, turns);
    if (!turns)
        connect_to(number, make("client that waits", family, SOCK_STREAM, is_set, false)->fd);
}

/* What it accepts inherits what it has now. */
static void check_inheritance(int number)
{
    struct subject *listener = s_listeners[number].listener;
    int client = connect_to(number, TRY(socket(s_listeners[number].address.sin6_family, SOCK_STREAM, 0)));
    struct subject accepted = { .name = "new connection", .fd = accept_from(number), .is_set = listener->is_set };
    check(&accepted);
    reset(client);
    reset(accepted.fd);
}

static void send_fd(int to, int fd)
{
    union { struct cmsghdr header; char room[CMSG_SPACE(sizeof fd)]; } control = { .header = { CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS } };
    struct msghdr message = { .msg_iov = &(struct iovec){ "x", 1 }, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    CHECK(sendmsg(to, &message, 0) == 1, "sendmsg: %s", strerror(errno));
}

static int receive_fd(int from)
{
    int fd;
    char byte;
    union { struct cmsghdr header; char room[CMSG_SPACE(sizeof fd)]; } control;
    struct msghdr message = { .msg_iov = &(struct iovec){ &byte, 1 }, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    CHECK(recvmsg(from, &message, 0) == 1 && message.msg_controllen > 0, "no listener comes from the other process");
    memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
    return fd;
}

/* Gets a socket that has 0, and gives it on to another program as 1. */
static void other_process(int from)
{
    char number[16];
    struct subject one = { .name = "listener from another process", .fd = receive_fd(from) };
    check(&one);
    set(&one, 5);
    check(&one);
    snprintf(number, sizeof number, "%d", one.fd);
    execl("/proc/self/exe", "reuse-address", number, NULL);
    _exit(1);
}

int main(int count, char **arguments)
{
    if (count > 1) {
        struct subject one = { .name = "listener from before exec", .fd = atoi(arguments[1]), .is_set = true };
        check(&one);
        return 0;
    }

    int link[2], number = 0;
    for (int turns = 0; turns < 2; turns++)
        for (int is_set = 0; is_set < 2; is_set++) {
            listen_on(number++, AF_INET, is_set, turns);
            listen_on(number++, AF_INET6, is_set, turns);
            make("unbound TCP", AF_INET, SOCK_STREAM, is_set, turns);
            make("UDP", AF_INET, SOCK_DGRAM, is_set, turns);
            struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
            TRY(bind(make("bound TCP", AF_INET, SOCK_STREAM, is_set, turns)->fd, (void *)&any, sizeof any));
            TRY(bind(make("bound UDP", AF_INET, SOCK_DGRAM, is_set, turns)->fd, (void *)&any, sizeof any));
        }
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, link));
    pid_t child = TRY(fork());
    if (child == 0) {
        close(link[0]);
        for (int i = 0; i < s_count; i++)
            close(s_subjects[i].fd);
        other_process(link[1]);
    }

    check_other_option();
    sample_ready();
    for (int turn = 0; sample_more(100); turn = (turn + 1) % s_count) {
        for (int i = 0; i < s_count; i++)
            check(&s_subjects[i]);
        check_inheritance(LISTENERS / 2 + turn % (LISTENERS / 2));
        check_errors(&s_subjects[turn]);
        /* Others are set to what they have. */
        set(&s_subjects[turn], s_subjects[turn].is_set != s_subjects[turn].turns);
        sample_idle();
    }

    for (int i = 0; i < LISTENERS / 2; i++) {
        struct subject waiting = { .name = "connection that has waited", .fd = accept_from(i), .is_set = s_listeners[i].listener->is_set };
        check(&waiting);
    }
    struct subject *passed = s_listeners[0].listener;
    send_fd(link[0], passed->fd);
    sample_wait_child(child, "the process with the passed listener");
    passed->is_set = true;
    check(passed);
    return sample_ok(0);
}
