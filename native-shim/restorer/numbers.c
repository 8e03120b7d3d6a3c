/* World: Bare, also in the region. */
#include "numbers.h"

#include <asm/errno.h>
#include <asm/stat.h>
#include <linux/futex.h>

#include "base.h"
#include "dm_syscall.h"
#include "kernel.h"

/* Rounds for one number, where the kernel gives as many as it can; more where it gives fewer. */
#define MOST_ROUNDS 8
#define MOST_NUMBERS 4194304 /* PID_MAX_LIMIT */
/* Numbers before the wanted one that may belong to somebody, so that the kernel will step over them. */
#define MOST_TAKEN 64
/* Threads that are left to end by themselves; from so near on each ends before the next is made. */
#define LOOK_EVERY 256
#define NEAR 48
/* What one number costs, roughly: to tell how long it takes. */
#define NUMBERS_PER_SECOND 80000
#define WORTH_TELLING (4 * NUMBERS_PER_SECOND)
#define WAIT_STEP_NS 100000000ll
#define LOCK_STEP_NS 20000000ll
#define LOCK_SILENT_STEPS 100

/* A thread that ends at once: its number, or -errno. With CLONE_VFORK it has ended before this comes back. */
int64_t dm_take_number(uint64_t more_flags);

/* How many numbers the kernel gives to come from one to the other. */
static int32_t distance(const struct dm_board *board, int32_t from, int32_t to)
{
    int32_t ahead = to - from;
    return ahead > 0 ? ahead : ahead + board->number_limit;
}

static int has_early_siblings(const struct dm_board *board, int32_t creator)
{
    const struct dm_number *all = dm_number_at(board, 0);
    for (uint32_t i = 0; i < board->number_count; i++)
        if (all[i].creator == creator && all[i].kind == DM_NUMBER_EARLY && all[i].made == 0)
            return 1;
    return 0;
}

static int can_be_made(const struct dm_board *board, const struct dm_number *one)
{
    if (one->made != 0)
        return 0;
    if (one->kind == DM_NUMBER_THREAD)
        return board->threads_begun != 0;
    return (one->creator == DM_PLAN_INIT || dm_number_at(board, one->creator)->made != 0) &&
           (one->kind == DM_NUMBER_EARLY || !has_early_siblings(board, one->creator));
}

/* Only who has the turn calls this. */
static void give_turn(struct dm_board *board)
{
    int32_t next = DM_TURN_NONE, nearest = 0x7fffffff;
    for (uint32_t i = 0; i < board->number_count; i++) {
        const struct dm_number *one = dm_number_at(board, (int32_t)i);
        int32_t ahead = distance(board, board->last_number, one->number);
        if (ahead < nearest && can_be_made(board, one)) {
            next = (int32_t)i;
            nearest = ahead;
        }
    }
    __atomic_store_n(&board->turn, next, __ATOMIC_SEQ_CST);
    dm_board_tell(board);
}

uint32_t dm_numbers_of(const struct dm_run *run)
{
    uint32_t count = run->plan->node_count;
    if ((run->plan->flags & DM_PLAN_COUNT) == 0)
        return 0;
    for (uint32_t i = 0; i < run->plan->node_count; i++)
        count += run->nodes[i].thread_count;
    return count;
}

static int32_t read_limit(void)
{
    char text[16];
    const char *at = text;
    int64_t length = dm_read_file("/proc/sys/kernel/pid_max", text, sizeof text - 1);
    text[length > 0 ? length : 0] = 0;
    int32_t limit = dm_take_decimal(&at);
    return limit > 0 ? limit : MOST_NUMBERS;
}

/* Two who count disturb each other. The name is gone with its holder, unix(7). */
static int64_t take_lock(struct dm_run *run)
{
    static const struct {
        uint16_t family;
        char name[26];
    } address = {1 /* AF_UNIX */, "\0dormouse-process-numbers"};
    const struct dm_timespec nap = {0, LOCK_STEP_NS};
    int64_t socket = dm_syscall3(__NR_socket, 1, 2 /* SOCK_DGRAM */, 0);
    int64_t error = socket < 0 ? socket : dm_syscall3(__NR_dup3, socket, run->plan_fd + 2, 02000000 /* O_CLOEXEC */);
    (void)dm_close((int)socket);
    run->count_fd = run->plan_fd + 2;
    for (uint32_t tries = 0; error >= 0; tries++) {
        error = dm_syscall3(__NR_bind, run->count_fd, (int64_t)&address, sizeof address);
        if (error != -EADDRINUSE)
            return error;
        if (tries == LOCK_SILENT_STEPS)
            dm_say(run->error_fd, "another dmrestart waits for its process numbers; this one goes on after it.");
        if (dm_is_told_to_end())
            return -EINTR;
        (void)dm_syscall2(__NR_nanosleep, (int64_t)&nap, 0);
        error = 0;
    }
    return error;
}

void dm_numbers_end(struct dm_run *run)
{
    if (run->count_fd != 0)
        (void)dm_close(run->count_fd);
    run->count_fd = 0;
}

int dm_numbers_begin(struct dm_run *run)
{
    struct dm_board *board = run->board;
    struct dm_number *next = dm_number_at(board, 0);
    const struct dm_plan_node *nodes = run->nodes;
    if (!dm_numbers_are_counted(board))
        return 0;
    for (uint32_t i = 0; i < run->plan->node_count; i++)
        *next++ = (struct dm_number){
            .number = nodes[i].pid,
            .creator = nodes[i].creator,
            .kind = (nodes[i].flags & DM_NODE_BEFORE_SETSID) != 0 ? DM_NUMBER_EARLY : DM_NUMBER_LATE,
        };
    for (uint32_t i = 0; i < run->plan->node_count; i++)
        for (uint32_t k = 0; k < nodes[i].thread_count; k++)
            *next++ = (struct dm_number){
                .number = (int32_t)run->groups[nodes[i].threads + k], .creator = (int32_t)i, .kind = DM_NUMBER_THREAD};
    board->number_limit = read_limit();
    int64_t got = take_lock(run);
    got = got < 0 ? got : dm_take_number(CLONE_VFORK);
    if (got < 0)
        return (int)got;
    board->last_number = (int32_t)got;
    give_turn(board);
    return 0;
}

static void wait_for_change(struct dm_board *board, uint32_t change)
{
    const struct dm_timespec step = {0, WAIT_STEP_NS};
    (void)dm_futex(&board->change, FUTEX_WAIT, change, &step);
}

static int is_of(const struct dm_number *one, int32_t creator, enum dm_number_kind kind)
{
    return one->creator == creator && one->kind == (uint32_t)kind && one->made == 0;
}

static int has_any(const struct dm_board *board, int32_t creator, enum dm_number_kind kind)
{
    for (uint32_t i = 0; i < board->number_count; i++)
        if (is_of(dm_number_at(board, (int32_t)i), creator, kind))
            return 1;
    return 0;
}

int32_t dm_numbers_turn(struct dm_board *board, int error_fd, int32_t creator, enum dm_number_kind kind)
{
    while (has_any(board, creator, kind)) {
        uint32_t change = __atomic_load_n(&board->change, __ATOMIC_SEQ_CST);
        int32_t turn = __atomic_load_n(&board->turn, __ATOMIC_SEQ_CST);
        if (dm_board_is_over(board, error_fd))
            return DM_TURN_FAILED;
        if (turn >= 0 && is_of(dm_number_at(board, turn), creator, kind))
            return turn;
        wait_for_change(board, change);
    }
    return DM_TURN_NONE;
}

/* Of a process, a thread or a group. */
static int is_taken(int32_t number)
{
    return dm_kill(number, 0) != -ESRCH || dm_kill(-number, 0) != -ESRCH;
}

static int is_next(const struct dm_board *board, int32_t wanted)
{
    int32_t between = distance(board, board->last_number, wanted) - 1;
    if (between > MOST_TAKEN)
        return 0;
    for (int32_t number = wanted - between; number < wanted; number++)
        if (number < 1 || !is_taken(number))
            return 0;
    return 1;
}

static int miss(struct dm_board *board, int error_fd, struct dm_number *one)
{
    one->misses++;
    if ((uint64_t)one->misses * (uint64_t)board->number_limit > MOST_ROUNDS * MOST_NUMBERS &&
        dm_board_fail_first(board))
        dm_say(error_fd,
               "other processes of this host take the number %d each time before it can be had. Nothing was "
               "restarted: try again, or run dmrestart as root.",
               one->number);
    give_turn(board);
    return -1;
}

static int fail(struct dm_board *board, int error_fd, int32_t number, const char *why, int64_t error)
{
    if (dm_board_fail_first(board))
        dm_say(error_fd, "cannot get the process number %d: %s: %e. Nothing was restarted.", number, why, error);
    return -1;
}

/* A moment for who is just ending. */
static int stays_taken(int32_t number)
{
    for (unsigned tries = 0; is_taken(number);)
        if (!dm_number_may_become_free(-EEXIST, &tries))
            return 1;
    return 0;
}

/* Our own threads, those that are just ending included: proc_task_getattr in fs/proc/base.c. */
static uint64_t threads_now(void)
{
    struct stat status;
    return dm_syscall2(__NR_stat, (int64_t) "/proc/self/task", (int64_t)&status) < 0 ? 0 : status.st_nlink;
}

/* The code of a thread that has not run yet may be gone when this process becomes another. */
static void wait_for_ends(uint64_t threads)
{
    const struct dm_timespec nap = {0, 50000};
    while (threads_now() > threads)
        (void)dm_syscall2(__NR_nanosleep, (int64_t)&nap, 0);
}

/* One number further. 1: that was the wanted one, or beyond it. */
static int step(struct dm_board *board, int error_fd, const struct dm_number *one, uint64_t flags)
{
    unsigned tries = 0;
    int64_t got;
    /* Too many threads at once: those that end are not gone yet. */
    do
        got = dm_take_number(flags);
    while (got == -EAGAIN && dm_number_may_become_free(-EEXIST, &tries));
    if (got < 0)
        return fail(board, error_fd, one->number, "the kernel makes no thread", got);
    int is_passed =
        distance(board, board->last_number, one->number) <= distance(board, board->last_number, (int32_t)got);
    __atomic_store_n(&board->last_number, (int32_t)got, __ATOMIC_SEQ_CST);
    return is_passed;
}

static int count_to(struct dm_board *board, int error_fd, const struct dm_number *one)
{
    const uint64_t threads = threads_now();
    int result = 0;
    for (uint32_t i = 0; result == 0 && distance(board, board->last_number, one->number) > NEAR; i++) {
        if (i % LOOK_EVERY == 0)
            wait_for_ends(threads);
        result = i % LOOK_EVERY == 0 && dm_board_is_over(board, error_fd) ? -1 : step(board, error_fd, one, 0);
    }
    wait_for_ends(threads);
    while (result == 0 && !is_next(board, one->number))
        result = step(board, error_fd, one, CLONE_VFORK);
    return result;
}

int dm_numbers_count(struct dm_board *board, int error_fd, int32_t index)
{
    struct dm_number *one = dm_number_at(board, index);
    int32_t ahead = distance(board, board->last_number, one->number);
    if (stays_taken(one->number))
        return fail(board, error_fd, one->number, "another process has it", -EEXIST);
    if (ahead > WORTH_TELLING)
        dm_say(
            error_fd,
            "the process number %d comes after %d others, which takes some %d seconds (an ordinary user may not choose "
            "numbers here; in user namespaces, or as root, nothing has to be waited for).",
            one->number, ahead, ahead / NUMBERS_PER_SECOND);
    int result = count_to(board, error_fd, one);
    return result <= 0 ? result : miss(board, error_fd, one);
}

void dm_numbers_made(struct dm_board *board, int32_t index, int64_t got)
{
    struct dm_number *one = dm_number_at(board, index);
    if (got > 0)
        board->last_number = (int32_t)got;
    one->misses += got != one->number;
    __atomic_store_n(&one->made, got == one->number, __ATOMIC_SEQ_CST);
    give_turn(board);
}

int dm_numbers_of_threads(struct dm_board *board)
{
    if (__atomic_add_fetch(&board->members_ready, 1, __ATOMIC_SEQ_CST) == board->members) {
        board->threads_begun = 1;
        give_turn(board);
    }
    while (__atomic_load_n(&board->members_ready, __ATOMIC_SEQ_CST) < board->members) {
        uint32_t change = __atomic_load_n(&board->change, __ATOMIC_SEQ_CST);
        if (dm_board_failed(board))
            return -1;
        wait_for_change(board, change);
    }
    return 0;
}
