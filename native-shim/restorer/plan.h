/* What dmrestart tells the restorer: everything. World: Bare.
 *
 * dmrestart writes the plan into a memory file and executes
 *     dormouse-restorer DESCRIPTOR
 * The restorer checks that the plan is whole, and decides nothing.
 * launcher/Dormouse.Launcher/Restart/PlanWriter.cs writes these structs; a test
 * compares sizes and offsets.
 *
 * Layout: struct dm_plan | pods | nodes | group ids and thread numbers (u32) | strings. All offsets
 * are from the start of the plan; strings end with NUL.
 */
#ifndef DM_PLAN_H
#define DM_PLAN_H

#include <stdint.h>

#define DM_PLAN_MAGIC "DMRPLAN"
#define DM_PLAN_VERSION 1u
/* As node index: the first process of the pod, or without a pod the supervisor. */
#define DM_PLAN_INIT (-1)

enum dm_plan_flag {
    DM_PLAN_POD = 1,                  /* new PID, IPC, time and mount namespaces */
    DM_PLAN_USER_NS = 2,              /* inside two nested user namespaces: we are not really root */
    DM_PLAN_TERMINAL = 4,             /* the computation goes on at our controlling terminal */
    DM_PLAN_ACCEPT_CHANGED_FILES = 8, /* for the members: DM_RESTART_ACCEPT_CHANGED_FILES */
    DM_PLAN_QUIET = 16,               /* for the members: DM_RESTART_QUIET */
    DM_PLAN_NAME_HOST = 32,           /* for the members: DM_RESTART_NAME_HOST */
    DM_PLAN_COUNT = 64,               /* numbers cannot be chosen: numbers.h; spare_tid is not used */
};

enum dm_plan_pod_flag {
    DM_POD_KEEP_SESSION =
        1, /* the first process stays in our session and group (the terminal, or a session from outside) */
};

struct dm_plan_pod {
    uint32_t flags;           /* enum dm_plan_pod_flag */
    int32_t foreground_group; /* to be put into the foreground of the terminal, or 0 */
    int64_t monotonic_ns;     /* where CLOCK_MONOTONIC goes on, or 0: leave it */
    int64_t boottime_ns;
};

enum dm_node_kind {
    DM_NODE_MEMBER = 1,    /* wakes from an image */
    DM_NODE_STANDIN = 2,   /* takes the place of a parent outside the computation while it has children */
    DM_NODE_TRANSIENT = 3, /* makes a session or group and ends before any program runs */
    DM_NODE_ZOMBIE = 4,    /* ends with wait_status before any program runs */
};

enum dm_node_flag {
    DM_NODE_ROOT = 1,          /* we end when all of these have ended */
    DM_NODE_SETSID = 2,        /* leads a session */
    DM_NODE_BEFORE_SETSID = 4, /* born before its creator makes a session */
    DM_NODE_VIA_INTERMEDIATE =
        8, /* creator forks spare_tid, which forks this one and ends: the subreaper becomes the parent */
    DM_NODE_MAKES_GROUP = 16,    /* somebody's group has this one's number */
    DM_NODE_JOINS_GROUP = 32,    /* setpgid(0, pgid) when all groups are made */
    DM_NODE_MOVES_GROUP = 64,    /* the same, when all others have joined */
    DM_NODE_SUBREAPER = 128,     /* PR_SET_CHILD_SUBREAPER */
    DM_NODE_CHECK_PARENT = 256,  /* getppid() must be ppid */
    DM_NODE_CHECK_SESSION = 512, /* getsid() must be sid */
    DM_NODE_CHECK_GROUP = 1024,  /* getpgid() must be pgid */
};

struct dm_plan_node {
    int32_t pid;
    int32_t ppid;
    int32_t pgid;
    int32_t sid;
    uint32_t kind;        /* enum dm_node_kind */
    uint32_t flags;       /* enum dm_node_flag */
    int32_t pod;          /* index; nodes of one pod need not be together */
    int32_t creator;      /* index of an earlier node, or DM_PLAN_INIT */
    int32_t wait_status;  /* of a zombie */
    int32_t spare_tid;    /* a number that nobody else uses, for the intermediate and for helpers */
    uint32_t program;     /* string: name for messages */
    uint32_t image;       /* string: absolute path, members only */
    uint64_t computation; /* what the image must say, members only */
    uint32_t generation;
    uint32_t member;
    uint32_t uid; /* members only, when we are really root */
    uint32_t gid;
    uint32_t groups; /* index of the first group id */
    uint32_t group_count;
    int32_t nice;
    uint32_t readers; /* threads that fill its memory, at least 1 */
    uint32_t threads; /* index of the first number of its other threads, among the group ids */
    uint32_t thread_count;
    uint32_t file; /* string: absolute path of its program's file, or empty; members only */
    uint32_t padding;
};

struct dm_plan {
    char magic[8];
    uint32_t version;
    uint32_t bytes; /* of the whole plan */
    uint32_t flags; /* enum dm_plan_flag */
    uint32_t pod_count, pods;
    uint32_t node_count, nodes;
    uint32_t group_count, groups;
    uint32_t strings_bytes, strings;
    int32_t coordinator_fd; /* connection that tells when the restart is done, or -1 */
    int32_t high_fd;        /* standard streams go to this number and the next two, the image to the one after */
    uint16_t port;
    uint16_t done_kind; /* message kinds that the coordinator sends on coordinator_fd */
    uint16_t failed_kind;
    uint16_t reserved;
    uint32_t first_root; /* index of the node whose exit status is ours */
    uint64_t session;    /* of this run of dmrestart */
    uint8_t token[32];
    char host[256];
    char library[256]; /* path of libdormouse.so, for programs that are started later */
};

_Static_assert(sizeof(struct dm_plan_pod) == 24, "pod record");
_Static_assert(sizeof(struct dm_plan_node) == 104, "node record");
_Static_assert(sizeof(struct dm_plan) == 624, "plan header");

#endif
