/* Reads /proc of the own process with raw system calls only. World: Frozen. */
#define _GNU_SOURCE
#include "procfs.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "call_site.h"
#include "dm_syscall.h"
#include "socket_limit.h"

struct directory_entry {
    uint64_t inode;
    int64_t offset;
    uint16_t bytes;
    uint8_t type;
    char name[];
};

void dm_task_list_open(struct dm_task_list *list)
{
    list->fd = (int)dm_openat(AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    list->position = list->filled = 0;
}

uint32_t dm_task_list_next(struct dm_task_list *list)
{
    for (;;) {
        if (list->position >= list->filled) {
            int64_t got =
                list->fd < 0 ? 0 : dm_syscall3(__NR_getdents64, list->fd, (int64_t)list->buffer, sizeof list->buffer);
            if (got <= 0)
                return 0;
            list->filled = (int32_t)got;
            list->position = 0;
        }
        const struct directory_entry *entry = (const void *)(list->buffer + list->position);
        list->position += entry->bytes;
        uint32_t tid = 0;
        for (const char *c = entry->name; *c >= '0' && *c <= '9'; c++)
            tid = tid * 10 + (uint32_t)(*c - '0');
        if (tid != 0)
            return tid;
    }
}

void dm_task_list_close(struct dm_task_list *list)
{
    if (list->fd >= 0)
        dm_close(list->fd);
}

/* Reads /proc/self/task/TID/name into text, NUL-terminated. Bytes read, or 0. */
static int64_t read_task_file(uint32_t tid, const char *name, char *text, size_t bytes)
{
    char path[64] = "/proc/self/task/";
    char digits[10];
    size_t count = 0, at = strlen(path);
    do
        digits[count++] = (char)('0' + tid % 10);
    while ((tid /= 10) != 0);
    while (count != 0)
        path[at++] = digits[--count];
    path[at++] = '/';
    strcpy(path + at, name);

    int64_t fd = dm_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (dm_is_error(fd))
        return 0;
    int64_t got = dm_read((int)fd, text, bytes - 1);
    dm_close((int)fd);
    if (got < 0)
        got = 0;
    text[got] = '\0';
    return got;
}

/* The text after the ") " that ends the program name in /proc/.../stat: field 3, the state. */
static const char *stat_fields(uint32_t tid, char *text, size_t bytes)
{
    read_task_file(tid, "stat", text, bytes);
    const char *end = strrchr(text, ')');
    return end != NULL && end[1] == ' ' ? end + 2 : "";
}

bool dm_task_is_zombie(uint32_t tid)
{
    char text[512];
    const char *fields = stat_fields(tid, text, sizeof text);
    return fields[0] == 'Z' || fields[0] == 'X';
}

static uint64_t read_hex(const char **at)
{
    uint64_t value = 0;
    const char *c = *at;
    while (*c == ' ')
        c++;
    if (c[0] == '0' && c[1] == 'x')
        c += 2;
    for (;; c++) {
        unsigned digit = *c >= '0' && *c <= '9'   ? (unsigned)(*c - '0')
                         : *c >= 'a' && *c <= 'f' ? (unsigned)(*c - 'a') + 10
                                                  : 16;
        if (digit == 16)
            break;
        value = value << 4 | digit;
    }
    *at = c;
    return value;
}

static int64_t read_decimal(const char **at)
{
    int64_t value = 0;
    const char *c = *at;
    for (; *c >= '0' && *c <= '9'; c++)
        value = value * 10 + (*c - '0');
    *at = c;
    return value;
}

/* What follows the name and the colon of a line of /proc/.../sched, or NULL. */
static const char *sched_value(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    if (at == NULL || (at = strchr(at, ':')) == NULL)
        return NULL;
    at++;
    while (*at == ' ')
        at++;
    return at;
}

/* se.exec_start of /proc/.../sched: when the thread was last seen running, on the clock of its CPU, in
 * nanoseconds; -1 on kernels built without CONFIG_SCHED_DEBUG. `voluntary_switches` (may be NULL) gets
 * how often it has blocked. */
static int64_t last_ran(uint32_t tid, uint32_t *voluntary_switches)
{
    char text[1024];
    read_task_file(tid, "sched", text, sizeof text);
    const char *at = sched_value(text, "se.exec_start"), *switches = sched_value(text, "nr_voluntary_switches");
    if (at == NULL || switches == NULL)
        return -1;
    if (voluntary_switches != NULL)
        *voluntary_switches = (uint32_t)read_decimal(&switches);
    int64_t milliseconds = read_decimal(&at);
    int64_t fraction = 0;
    if (*at == '.') {
        at++;
        fraction = read_decimal(&at);
    }
    return milliseconds * 1000000 + fraction;
}

/* Field 39 of /proc/.../stat: the CPU that the thread last ran on. */
static uint32_t last_cpu(uint32_t tid)
{
    char text[512];
    const char *at = stat_fields(tid, text, sizeof text);
    for (int field = 3; field < 39 && *at != '\0'; field++) {
        while (*at != ' ' && *at != '\0')
            at++;
        if (*at == ' ')
            at++;
    }
    return (uint32_t)read_decimal(&at);
}

uint64_t dm_thread_pending(uint32_t tid)
{
    /* The line stands before the memory figures, some 900 bytes from the start. */
    char text[2048];
    const char Line[] = "\nSigPnd:\t";
    read_task_file(tid, "status", text, sizeof text);
    const char *at = strstr(text, Line);
    if (at == NULL)
        return 0;
    at += sizeof Line - 1;
    return read_hex(&at) & ~(1ull << (DM_SUSPEND_SIGNAL - 1));
}

static int64_t monotonic_nanoseconds(void)
{
    struct timespec now;
    dm_syscall2(__NR_clock_gettime, CLOCK_MONOTONIC, (int64_t)&now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* What to add to CLOCK_MONOTONIC for the scheduler's clock of a CPU, as seen in this suspension. */
static struct {
    bool is_known;
    int64_t offset;
} s_cpu_clocks[64 * DM_CPU_WORDS];

void dm_forget_cpu_clocks(void)
{
    for (unsigned cpu = 0; cpu < 64 * DM_CPU_WORDS; cpu++)
        s_cpu_clocks[cpu].is_known = false;
}

/* Each CPU has its own scheduler clock, so we go for a moment to the CPU and let the kernel note when we run there. */
static bool read_cpu_clock(uint32_t cpu)
{
    if (s_cpu_clocks[cpu].is_known)
        return true;
    uint64_t before[DM_CPU_WORDS] = {0}, wanted[DM_CPU_WORDS] = {0};
    wanted[cpu / 64] = 1ull << cpu % 64;
    int64_t bytes = dm_syscall3(__NR_sched_getaffinity, 0, sizeof before, (int64_t)before);
    if (bytes <= 0 || dm_syscall3(__NR_sched_setaffinity, 0, sizeof wanted, (int64_t)wanted) < 0)
        return false;
    dm_syscall0(__NR_sched_yield);
    int64_t monotonic = monotonic_nanoseconds();
    int64_t now = last_ran((uint32_t)dm_gettid(), NULL);
    dm_syscall3(__NR_sched_setaffinity, 0, bytes, (int64_t)before);
    s_cpu_clocks[cpu].offset = now - monotonic;
    s_cpu_clocks[cpu].is_known = now >= 0;
    return s_cpu_clocks[cpu].is_known;
}

/* How long a blocked thread has waited; -1 when the kernel does not tell. */
static int64_t blocked_for(uint32_t tid, uint32_t *voluntary_switches)
{
    int64_t since = last_ran(tid, voluntary_switches);
    uint32_t cpu = last_cpu(tid);
    if (since < 0 || cpu >= 64 * DM_CPU_WORDS || !read_cpu_clock(cpu))
        return -1;
    int64_t waited = monotonic_nanoseconds() + s_cpu_clocks[cpu].offset - since;
    return waited > 0 ? waited : 0;
}

/* Only these need the time waited. */
static bool may_have_relative_timeout(int64_t number, const uint64_t *arguments)
{
    switch (number) {
    case __NR_poll:
        return (int32_t)arguments[2] > 0;
    case __NR_epoll_wait:
    case __NR_epoll_pwait:
        return (int32_t)arguments[3] > 0;
    case __NR_futex:
        return (arguments[1] & 0x7f) == 0 /* FUTEX_WAIT */ && arguments[3] != 0;
    case __NR_nanosleep:
        return true;
    case __NR_clock_nanosleep:
        return (arguments[1] & 1) == 0 /* TIMER_ABSTIME */;
    case __NR_rt_sigtimedwait:
        return arguments[2] != 0;
    case __NR_epoll_pwait2:
    case __NR_semtimedop:
        return arguments[3] != 0;
    default: {
        int option = dm_limit_of_call(number);
        return option != 0 && dm_socket_has_limit((int)arguments[0], option);
    }
    }
}

void dm_read_blocked_call(uint32_t tid, struct dm_thread_slot *slot)
{
    char text[256];
    slot->call_number = -1;
    slot->blocked_nanoseconds = -1;
    slot->voluntary_switches = DM_NOT_COUNTED;
    if (read_task_file(tid, "syscall", text, sizeof text) == 0 || text[0] < '0' || text[0] > '9')
        return;
    const char *at = text;
    slot->call_number = read_decimal(&at);
    uint64_t arguments[7]; /* and the stack pointer */
    for (int i = 0; i < 7; i++)
        arguments[i] = read_hex(&at);
    slot->call_pc = read_hex(&at);
    if (may_have_relative_timeout(slot->call_number, arguments))
        slot->blocked_nanoseconds = blocked_for(tid, &slot->voluntary_switches);
    else if (!dm_code_has_call_number(slot->call_pc))
        last_ran(tid, &slot->voluntary_switches);
}
