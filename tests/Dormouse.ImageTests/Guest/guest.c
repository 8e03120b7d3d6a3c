/* A program that exists only as an image: the tests put it into files, the
 * restorer wakes it, and it says what it finds. Freestanding: it has never run
 * before, so no libc was ever set up.
 */
#include "dm_image.h"
#include "dm_syscall.h"

#define STRIPES 64u
#define PAGE 4096u

/* Filled in by the test: where things are and what to do. At a fixed place. */
struct orders {
    uint64_t signature;
    struct dm_restart_info *info;
    uint64_t thread_count;
    uint64_t exit_status; /* as wait(2) gives it */
    uint64_t stay;        /* seconds before ending */
    uint64_t pattern;     /* start of a range filled with words equal to their address, or 0 */
    uint64_t pattern_bytes;
};
__attribute__((section(".orders"))) volatile struct orders orders = {1, 0, 1, 0, 0, 0, 0};

static volatile uint32_t s_arrived;
static volatile uint32_t s_tids[STRIPES];

struct line {
    char text[1024];
    unsigned length;
};

static void put(struct line *line, const char *text)
{
    while (*text != 0 && line->length < sizeof line->text)
        line->text[line->length++] = *text++;
}

static void put_number(struct line *line, const char *name, int64_t value)
{
    char digits[24];
    char *at = digits + sizeof digits;
    uint64_t rest = value < 0 ? (uint64_t)-value : (uint64_t)value;
    *--at = 0;
    do
        *--at = (char)('0' + rest % 10);
    while ((rest /= 10) != 0);
    put(line, " ");
    put(line, name);
    put(line, value < 0 ? "=-" : "=");
    put(line, at);
}

static int64_t count_descriptors(void)
{
    int64_t count = 0;
    for (int fd = 0; fd < 2048; fd++)
        count += dm_syscall3(__NR_fcntl, fd, 1 /* F_GETFD */, 0) >= 0;
    return count;
}

static int64_t bad_words(void)
{
    int64_t bad = 0;
    for (uint64_t at = orders.pattern; at < orders.pattern + orders.pattern_bytes; at += 8)
        bad += *(volatile uint64_t *)at != at;
    return bad;
}

static void say_who_i_am(struct line *line)
{
    int64_t time[2] = {0, 0};
    uint64_t mask = 0;
    put(line, "member");
    put_number(line, "pid", dm_getpid());
    put_number(line, "ppid", dm_syscall0(__NR_getppid));
    put_number(line, "pgid", dm_syscall1(__NR_getpgid, 0));
    put_number(line, "sid", dm_syscall1(__NR_getsid, 0));
    put_number(line, "uid", dm_syscall0(__NR_getuid));
    put_number(line, "gid", dm_syscall0(__NR_getgid));
    put_number(line, "descriptors", count_descriptors());
    put_number(line, "bad", bad_words());
    put_number(line, "brk", dm_syscall1(__NR_brk, 0));
    dm_syscall2(__NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, (int64_t)time);
    put_number(line, "monotonic", time[0]);
    dm_syscall4(__NR_rt_sigprocmask, 0, 0, (int64_t)&mask, 8);
    put_number(line, "mask", (int64_t)(mask >> 63));
    for (uint32_t i = 1; i < orders.thread_count; i++)
        put_number(line, "thread", s_tids[i]);
    put(line, "\n");
}

/* Children that the test wants to see are zombies by now; others end by and by. */
static void wait_for_children(int output)
{
    int32_t status = 0;
    int64_t pid;
    while ((pid = dm_syscall4(__NR_wait4, -1, (int64_t)&status, 0, 0)) > 0) {
        struct line line = {.length = 0};
        put(&line, "child");
        put_number(&line, "of", dm_getpid());
        put_number(&line, "pid", pid);
        put_number(&line, "status", status);
        put(&line, "\n");
        dm_write(output, line.text, line.length);
    }
}

static void end(void)
{
    int64_t pause[2] = {(int64_t)orders.stay, 0};
    dm_syscall2(__NR_nanosleep, (int64_t)pause, 0);
    if ((orders.exit_status & 0x7f) != 0)
        dm_syscall2(__NR_kill, dm_getpid(), (int64_t)(orders.exit_status & 0x7f));
    dm_exit_process((int)(orders.exit_status >> 8));
}

__attribute__((noreturn)) void restored(uint64_t slot)
{
    s_tids[slot] = (uint32_t)dm_gettid();
    __atomic_add_fetch(&s_arrived, 1, __ATOMIC_SEQ_CST);
    while (slot != 0)
        dm_syscall0(__NR_pause);
    while (s_arrived < orders.thread_count)
        dm_syscall0(__NR_sched_yield);
    int output = orders.info->stdio[1];
    struct line line = {.length = 0};
    say_who_i_am(&line);
    dm_write(output, line.text, line.length);
    uint64_t none = 0;
    dm_syscall4(__NR_rt_sigprocmask, 2, (int64_t)&none, 0, 8);
    wait_for_children(output);
    end();
    for (;;)
        ;
}
