/* What one run of the restorer knows, and the page that its processes share.
 * World: Bare.
 *
 * Start-up goes through phases; nobody enters one before all have ended the one
 * before. A process that fails says why, marks the board and ends; all others
 * see the mark and end too, so that nothing half-alive is left.
 */
#ifndef DM_RUN_H
#define DM_RUN_H

#include <stdint.h>

#include "plan.h"

enum dm_phase {
    DM_PHASE_CREATED,     /* every process exists, sessions are made */
    DM_PHASE_GROUPS_MADE, /* every group has its leader */
    DM_PHASE_JOINED,      /* everybody else has joined a group */
    DM_PHASE_MOVED,       /* leaders that belong elsewhere have moved on */
    DM_PHASE_SETTLED,     /* transient processes are gone, zombies are dead */
    DM_PHASE_CHECKED,     /* everybody has the parent, group and session that it should have */
    DM_PHASES,
};

struct dm_board_node {
    uint32_t alive;  /* the process exists */
    uint32_t jumped; /* it is about to enter its restored program */
    uint32_t ended;  /* its parent, one of us, has seen it end */
    int32_t status;  /* then: as wait(2) gives it */
};

struct dm_board {
    uint32_t failed;
    uint32_t jumped;     /* members that have jumped */
    uint32_t roots_left; /* roots that have not ended */
    uint32_t members;    /* that the plan has */
    uint32_t change;     /* futex: counts up when a phase is complete and when the run fails */
    uint32_t arrived[DM_PHASES];
    /* numbers.h; all 0 where numbers are chosen. */
    uint32_t number_count;
    uint32_t numbers_at;    /* bytes from here */
    int32_t number_limit;   /* one more than the highest that the kernel gives */
    int32_t last_number;    /* that the kernel has given, as far as we know */
    int32_t turn;           /* whose number is next: its index, or -1 */
    uint32_t members_ready; /* to make their threads */
    uint32_t threads_begun;
    uint64_t open_files[2]; /* struct dm_run's descriptors, for who has been executed anew */
    struct dm_board_node node[];
};

/* A part of the kernel's code and data pages in every process. */
struct dm_kernel_part {
    uint64_t start;
    uint64_t bytes; /* 0: this kernel has none */
};
enum dm_kernel_part_index { DM_PART_VVAR, DM_PART_VVAR_CLOCK, DM_PART_VDSO, DM_PARTS };

/* What the supervisor and the first process of a pod tell each other. */
enum dm_report_type {
    DM_REPORT_ENDED = 1,   /* node, status: a root has ended */
    DM_REPORT_STOPPED = 2, /* node, status: a root has been stopped */
};
struct dm_report {
    uint32_t type;
    int32_t node;
    int32_t status;
};
enum dm_order_type {
    DM_ORDER_SIGNAL = 1,       /* to all roots: value */
    DM_ORDER_SIGNAL_GROUP = 2, /* to the groups of all roots: value */
    DM_ORDER_FOREGROUND = 3,   /* put the computation's group into the foreground */
};
struct dm_order {
    uint32_t type;
    int32_t value;
};

/* struct rlimit64 of the kernel. */
struct dm_limit {
    uint64_t soft, hard;
};

struct dm_run {
    const struct dm_plan *plan;
    const struct dm_plan_pod *pods;
    const struct dm_plan_node *nodes;
    const uint32_t *groups;
    const char *strings;
    struct dm_board *board;
    uint64_t board_bytes;
    struct dm_kernel_part parts[DM_PARTS];
    int32_t pod;  /* that this process is in; 0 without pods */
    int is_again; /* in a member that has become its program's file */
    int error_fd;
    int report_read, report_write;
    int plan_fd, board_fd;       /* where numbers are counted; else not open */
    int count_fd;                /* while this run counts, and another may not; else 0 */
    int terminal_fd;             /* -1: none */
    int foreground;              /* our group has the terminal, so the computation's may get it */
    struct dm_limit descriptors; /* RLIMIT_NOFILE as the user has it; ours may be higher */
};

/* Behind the nodes of the board. */
struct dm_board_pod {
    int32_t first_pid; /* of its first process as we see it; 0 when there is none */
    int32_t order_fd;  /* the supervisor's end of the pipe */
};

static inline struct dm_board_pod *dm_board_pod(const struct dm_run *run, uint32_t pod)
{
    return (struct dm_board_pod *)&run->board->node[run->plan->node_count] + pod;
}

static inline const char *dm_string(const struct dm_run *run, uint32_t offset)
{
    return run->strings + offset;
}

/* Before there is anything to abandon: says why, and ends. */
_Noreturn void dm_refuse(const char *why, int64_t error);

/* Each ends the process when it fails. The descriptors stay open. */
void dm_run_read_plan(struct dm_run *run, int fd);
void dm_run_make_board(struct dm_run *run);
void dm_run_open_board(struct dm_run *run, int fd);
void dm_run_find_kernel_parts(struct dm_run *run);

/* Marks the run as failed and wakes everybody. */
void dm_board_fail(struct dm_board *board);
int dm_board_failed(const struct dm_board *board);
/* The same; also when somebody has told us to end, which fails the run and is said. */
int dm_board_is_over(struct dm_board *board, int error_fd);
/* Whether somebody has told us to end: all signals are blocked, and nobody reads them meanwhile. */
int dm_is_told_to_end(void);
/* Wakes all who wait for a change. */
void dm_board_tell(struct dm_board *board);
/* True exactly once: for the one who may explain. */
int dm_board_fail_first(struct dm_board *board);

/* Tells that this process has ended the phase and waits for the others. Returns 0, or -1 when the
 * run has failed. Until DM_PHASE_MOVED the unexpected end of a child counts as failure. */
int dm_board_pass(const struct dm_run *run, enum dm_phase phase);
/* The same for who will not be there any more: does not wait. */
void dm_board_pass_ahead(const struct dm_run *run, enum dm_phase phase);

#endif
