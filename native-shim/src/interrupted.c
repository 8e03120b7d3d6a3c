/* Which interrupted system call goes on in which way. World: Frozen.
 *
 * Three kinds, signal(7) has the list:
 *  - calls that the kernel restarts by itself after a handler with SA_RESTART:
 *    nothing to do;
 *  - calls that end with EINTR whatever the handler's flags: the instruction
 *    pointer goes back onto the syscall instruction and the number into rax;
 *    where a relative timeout is an argument, the time already waited is taken
 *    off it, in resume_call.S so that the program's registers stay its own;
 *  - blocking transfers that return the part done so far: the rest is transferred
 *    in resume_call.S and the program gets the sum.
 */
#define _GNU_SOURCE
#include "interrupted.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "call_site.h"
#include "dm_syscall.h"
#include "socket_limit.h"

enum timeout_kind { NO_TIMEOUT, MILLISECONDS, TIMESPEC };

struct interruptible {
    int16_t number;
    uint8_t timeout;  /* enum timeout_kind */
    uint8_t argument; /* register of the timeout: index into rdi rsi rdx r10 */
};

/* Calls that return EINTR even with SA_RESTART. Those with a timeout that the kernel
 * updates in memory (select, ppoll) or that is absolute need no adjustment. */
static const struct interruptible Interruptible[] = {
    {__NR_poll, MILLISECONDS, 2},
    {__NR_epoll_wait, MILLISECONDS, 3},
    {__NR_epoll_pwait, MILLISECONDS, 3},
    {__NR_epoll_pwait2, TIMESPEC, 3},
    {__NR_select, NO_TIMEOUT, 0},
    {__NR_pselect6, NO_TIMEOUT, 0},
    {__NR_ppoll, NO_TIMEOUT, 0},
    {__NR_pause, NO_TIMEOUT, 0},
    {__NR_rt_sigsuspend, NO_TIMEOUT, 0},
    {__NR_nanosleep, TIMESPEC, 0},
    {__NR_clock_nanosleep, TIMESPEC, 2},
    {__NR_rt_sigtimedwait, TIMESPEC, 2},
    {__NR_futex, TIMESPEC, 3},
    {__NR_semop, NO_TIMEOUT, 0},
    {__NR_semtimedop, TIMESPEC, 3},
    {__NR_msgrcv, NO_TIMEOUT, 0},
    {__NR_msgsnd, NO_TIMEOUT, 0},
    {__NR_io_getevents, NO_TIMEOUT, 0},
    {__NR_accept, NO_TIMEOUT, 0},
    {__NR_accept4, NO_TIMEOUT, 0},
    {__NR_connect, NO_TIMEOUT, 0},
    {__NR_recvfrom, NO_TIMEOUT, 0},
    {__NR_recvmsg, NO_TIMEOUT, 0},
    {__NR_recvmmsg, NO_TIMEOUT, 0},
    {__NR_sendto, NO_TIMEOUT, 0},
    {__NR_sendmsg, NO_TIMEOUT, 0},
    {__NR_read, NO_TIMEOUT, 0},
    {__NR_write, NO_TIMEOUT, 0},
    {__NR_readv, NO_TIMEOUT, 0},
    {__NR_writev, NO_TIMEOUT, 0},
    {__NR_wait4, NO_TIMEOUT, 0},
    {__NR_waitid, NO_TIMEOUT, 0},
    {__NR_fcntl, NO_TIMEOUT, 0},
    {__NR_flock, NO_TIMEOUT, 0},
    {__NR_open, NO_TIMEOUT, 0},
    {__NR_openat, NO_TIMEOUT, 0},
    {__NR_mq_timedreceive, NO_TIMEOUT, 0},
    {__NR_mq_timedsend, NO_TIMEOUT, 0},
    {__NR_futex_waitv, NO_TIMEOUT, 0},
};

#define FUTEX_COMMAND_MASK 0x7f
#define FUTEX_WAIT_COMMAND 0
#define FUTEX_WAIT_BITSET_COMMAND 9

static bool is_in_resume_call(uint64_t rip)
{
    return rip >= (uint64_t)dm_resume_wait_start && rip <= (uint64_t)dm_resume_call_after;
}

static const struct interruptible *find(int64_t number)
{
    for (size_t i = 0; i < sizeof Interruptible / sizeof Interruptible[0]; i++) {
        if (Interruptible[i].number == number)
            return &Interruptible[i];
    }
    return NULL;
}

static greg_t *argument(ucontext_t *context, unsigned index)
{
    static const uint8_t Registers[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10};
    return &context->uc_mcontext.gregs[Registers[index]];
}

/* Sets up the frame so that the thread makes call `number` in resume_call.S. When it was already
 * there, the record that lies on its stack is kept: it has the program's own registers. */
static struct dm_resume_call *divert(ucontext_t *context, int64_t number, struct dm_resume_call *room)
{
    greg_t *r = context->uc_mcontext.gregs;
    struct dm_resume_call *call = (struct dm_resume_call *)r[REG_RSP];
    if (!is_in_resume_call((uint64_t)r[REG_RIP])) {
        call = room;
        call->rdi = (uint64_t)r[REG_RDI];
        call->rsi = (uint64_t)r[REG_RSI];
        call->rdx = (uint64_t)r[REG_RDX];
        call->r10 = (uint64_t)r[REG_R10];
        call->rip = (uint64_t)r[REG_RIP];
        call->rsp = (uint64_t)r[REG_RSP];
        call->done = 0;
        r[REG_RSP] = (greg_t)call;
    }
    call->number = number;
    r[REG_RIP] = (greg_t)dm_resume_call_start;
    r[REG_RAX] = number;
    return call;
}

static bool has_relative_timeout(const struct interruptible *entry, ucontext_t *context)
{
    if (entry->timeout == MILLISECONDS)
        return (int32_t)*argument(context, entry->argument) > 0;
    if (entry->timeout != TIMESPEC || *argument(context, entry->argument) == 0)
        return false;
    if (entry->number == __NR_clock_nanosleep)
        return (*argument(context, 1) & TIMER_ABSTIME) == 0;
    if (entry->number == __NR_futex)
        return (*argument(context, 1) & FUTEX_COMMAND_MASK) == FUTEX_WAIT_COMMAND;
    return true;
}

/* What a call that was `given` this much time, in nanoseconds, has left. The one that we looked at may have ended before the signal
 * came, and this one be the next, just begun: at another place, or later than that one's time was over, which would
 * have ended it (or after the thread had blocked anew: dm_blocked_call_of sees to that). */
static int64_t time_left(const struct dm_blocked_call *blocked, const ucontext_t *context, int64_t given)
{
    bool is_next = blocked->nanoseconds < 0 || blocked->pc != (uint64_t)context->uc_mcontext.gregs[REG_RIP] ||
                   blocked->nanoseconds >= given;
    return is_next ? given : given - blocked->nanoseconds;
}

static void continue_timed(const struct dm_blocked_call *blocked, const struct interruptible *entry,
                           ucontext_t *context, struct dm_resume_call *room)
{
    greg_t *timeout = argument(context, entry->argument);
    if (entry->timeout == MILLISECONDS) {
        int64_t left = time_left(blocked, context, (int32_t)*timeout * 1000000LL);
        divert(context, entry->number, room);
        *timeout = (left + 999999) / 1000000;
        return;
    }
    const struct timespec *given = (const struct timespec *)*timeout;
    int64_t left = time_left(blocked, context, (int64_t)given->tv_sec * 1000000000 + given->tv_nsec);
    struct dm_resume_call *call = divert(context, entry->number, room);
    call->timeout[0] = left / 1000000000;
    call->timeout[1] = left % 1000000000;
    *timeout = (greg_t)call->timeout;
}

/* A socket with a time limit makes EINTR of every signal (net/core/sock.c, sock_intr_errno), and would begin anew with the
 * whole limit. */
static bool continue_limited(const struct dm_blocked_call *blocked, int64_t number, ucontext_t *context,
                             struct dm_resume_call *room)
{
    int option = dm_limit_of_call(number);
    int64_t limit[2]; /* struct timeval */
    uint32_t bytes = sizeof limit;
    greg_t *r = context->uc_mcontext.gregs;
    if (option == 0 ||
        dm_is_error(dm_syscall5(__NR_getsockopt, r[REG_RDI], SOL_SOCKET, option, (int64_t)limit, (int64_t)&bytes)) ||
        (limit[0] == 0 && limit[1] == 0))
        return false;
    int64_t left = time_left(blocked, context, limit[0] * 1000000000 + limit[1] * 1000);
    struct pollfd wait = {.fd = (int)r[REG_RDI], .events = option == SO_RCVTIMEO ? POLLIN : POLLOUT};
    struct dm_resume_call *call = divert(context, number, room);
    call->timeout[0] = left / 1000000000;
    call->timeout[1] = left % 1000000000;
    call->late = number == __NR_connect ? -EINPROGRESS : -EAGAIN;
    _Static_assert(sizeof wait == sizeof call->wait, "struct pollfd");
    memcpy(&call->wait, &wait, sizeof wait);
    r[REG_RDI] = (greg_t)&call->wait;
    r[REG_RSI] = 1;
    r[REG_RDX] = (greg_t)call->timeout;
    r[REG_R10] = 0;
    r[REG_RAX] = __NR_ppoll;
    r[REG_RIP] = (greg_t)dm_resume_wait_start;
    return true;
}

static bool blocks(int fd)
{
    int64_t flags = dm_syscall2(__NR_fcntl, fd, F_GETFL);
    return !dm_is_error(flags) && (flags & O_NONBLOCK) == 0;
}

/* write(2) and send(2) of a blocking descriptor return a part only when interrupted. */
static void continue_transfer(int64_t number, ucontext_t *context, struct dm_resume_call *room)
{
    greg_t *r = context->uc_mcontext.gregs;
    bool partial = r[REG_RAX] > 0 && r[REG_RAX] < r[REG_RDX];
    if (!partial)
        return;
    if (number == __NR_recvfrom && (r[REG_R10] & MSG_WAITALL) == 0)
        return;
    if (number != __NR_write && number != __NR_sendto && number != __NR_recvfrom)
        return;
    if (number != __NR_write && (r[REG_R10] & MSG_DONTWAIT) != 0)
        return;
    if (!blocks((int)r[REG_RDI]))
        return;
    int64_t done = r[REG_RAX];
    struct dm_resume_call *call = divert(context, number, room);
    call->done += done;
    r[REG_RSI] += done;
    r[REG_RDX] -= done;
}

/* What the signals that came during the suspension do to a blocking call. */
enum interruption { NO_SIGNAL, SIGNAL_RESTARTS, SIGNAL_ENDS };

static enum interruption interruption_by(const ucontext_t *context)
{
    struct {
        uint64_t handler, flags, restorer, mask;
    } action;
    uint64_t waiting = 0, blocked_signals;
    enum interruption worst = NO_SIGNAL;
    memcpy(&blocked_signals, &context->uc_sigmask, sizeof blocked_signals);
    dm_syscall2(__NR_rt_sigpending, (int64_t)&waiting, sizeof waiting);
    for (waiting &= ~blocked_signals; waiting != 0; waiting &= waiting - 1) {
        int signal = __builtin_ctzll(waiting) + 1;
        if (signal == DM_SUSPEND_SIGNAL ||
            dm_is_error(dm_syscall4(__NR_rt_sigaction, signal, 0, (int64_t)&action, sizeof action.mask)))
            continue;
        if (action.handler <= 1 /* SIG_DFL, SIG_IGN: calls go on */)
            continue;
        if ((action.flags & SA_RESTART) == 0)
            return SIGNAL_ENDS;
        worst = SIGNAL_RESTARTS;
    }
    return worst;
}

/* The kernel has set the call back already, since our handler has SA_RESTART: it ends with EINTR for a handler that has not. */
static void end_restarted_call(const struct dm_blocked_call *blocked, ucontext_t *context)
{
    greg_t *r = context->uc_mcontext.gregs;
    bool set_back = blocked->number >= 0 && (uint64_t)r[REG_RIP] == blocked->pc - 2 && r[REG_RAX] == blocked->number;
    if (!set_back || find(blocked->number) == NULL)
        return;
    /* Some commands of futex(2) never end so (FUTEX_LOCK_PI); waiting does. */
    int64_t command = *argument(context, 1) & FUTEX_COMMAND_MASK;
    if (blocked->number == __NR_futex && command != FUTEX_WAIT_COMMAND && command != FUTEX_WAIT_BITSET_COMMAND)
        return;
    r[REG_RAX] = -EINTR;
    r[REG_RIP] += 2;
}

struct dm_blocked_call dm_blocked_call_of(const struct dm_thread_slot *slot)
{
    struct dm_blocked_call call = {slot->call_number, slot->call_pc, slot->blocked_nanoseconds};
    struct rusage usage;
    if (slot->voluntary_switches == DM_NOT_COUNTED ||
        dm_is_error(dm_syscall2(__NR_getrusage, RUSAGE_THREAD, (int64_t)&usage)))
        return call;
    if ((uint32_t)usage.ru_nvcsw != slot->voluntary_switches)
        call = (struct dm_blocked_call){.number = -1, .nanoseconds = -1};
    return call;
}

void dm_continue_interrupted_call(const struct dm_blocked_call *blocked, ucontext_t *context,
                                  struct dm_resume_call *room)
{
    greg_t *r = context->uc_mcontext.gregs;
    uint64_t rip = (uint64_t)r[REG_RIP];
    enum interruption interruption = interruption_by(context);
    if (interruption != NO_SIGNAL) {
        if (interruption == SIGNAL_ENDS)
            end_restarted_call(blocked, context);
        return;
    }
    if (r[REG_RAX] > 0) {
        continue_transfer(dm_interrupted_call_number(blocked, context), context, room);
        return;
    }
    if (r[REG_RAX] != -EINTR)
        return;
    int64_t number = dm_interrupted_call_number(blocked, context);
    const struct interruptible *entry = find(number);
    if (entry == NULL)
        return;
    if (has_relative_timeout(entry, context)) {
        continue_timed(blocked, entry, context, room);
        return;
    }
    if (continue_limited(blocked, number, context, room))
        return;
    r[REG_RAX] = number;
    r[REG_RIP] = (greg_t)(rip - 2);
}
