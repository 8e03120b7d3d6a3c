/* The calls by which a program gives up root, or gets it back. World: the program's own; the checkpoint thread.
 *
 * Credentials are a thread's own in the kernel; libc has all threads that it knows change them together (nptl(7)), and
 * ours is none of these (docs/decisions/0014). It would stay root for ever in a program that is not, and whoever takes such a
 * program over could use it. So it follows each change by which the process gives something up for good, before the call returns.
 *
 * Where the program can have it back at any time (seteuid(2), with the saved user still root) nothing is done: the call costs
 * what it costs anyway. See docs/decisions/0027.
 */
#define _GNU_SOURCE
#include "privileges.h"

#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core.h"
#include "credentials.h"
#include "dm_embed.h"
#include "dm_syscall.h"
#include "membership.h"
#include "suspend.h"

#define EXPORT __attribute__((visibility("default")))

struct __user_cap_header_struct;
int capset(struct __user_cap_header_struct *header, const struct __user_cap_data_struct *data);

static struct {
    int (*setuid)(uid_t);
    int (*setgid)(gid_t);
    int (*seteuid)(uid_t);
    int (*setegid)(gid_t);
    int (*setreuid)(uid_t, uid_t);
    int (*setregid)(gid_t, gid_t);
    int (*setresuid)(uid_t, uid_t, uid_t);
    int (*setresgid)(gid_t, gid_t, gid_t);
    int (*setgroups)(size_t, const gid_t *);
    int (*initgroups)(const char *, gid_t);
    int (*capset)(struct __user_cap_header_struct *, const struct __user_cap_data_struct *);
} s_real;

/* Of the checkpoint thread: read by the program's threads, changed while these wait for it. */
static struct {
    struct dm_credentials now;
    bool are_given_up;
} s_ours;

void dm_privileges_prepare(void)
{
    s_real.setgid = dlsym(RTLD_NEXT, "setgid");
    s_real.seteuid = dlsym(RTLD_NEXT, "seteuid");
    s_real.setegid = dlsym(RTLD_NEXT, "setegid");
    s_real.setreuid = dlsym(RTLD_NEXT, "setreuid");
    s_real.setregid = dlsym(RTLD_NEXT, "setregid");
    s_real.setresuid = dlsym(RTLD_NEXT, "setresuid");
    s_real.setresgid = dlsym(RTLD_NEXT, "setresgid");
    s_real.setgroups = dlsym(RTLD_NEXT, "setgroups");
    s_real.initgroups = dlsym(RTLD_NEXT, "initgroups");
    s_real.capset = dlsym(RTLD_NEXT, "capset");
    __atomic_store_n(&s_real.setuid, dlsym(RTLD_NEXT, "setuid"), __ATOMIC_RELEASE);
}

/* Another library's constructor may be earlier than ours. */
static void make_ready(void)
{
    if (__atomic_load_n(&s_real.setuid, __ATOMIC_ACQUIRE) == NULL)
        dm_privileges_prepare();
}

void dm_privileges_begin(void)
{
    dm_credentials_capture(&s_ours.now);
    s_ours.are_given_up = false;
}

int dm_privileges_are_given_up(void)
{
    return s_ours.are_given_up;
}

void dm_privileges_give_up_again(void)
{
    dm_credentials_restore(&s_ours.now);
}

static bool may(const struct dm_credentials *credentials, int capability)
{
    return (credentials->permitted >> capability & 1) != 0;
}

static bool has(const uint32_t *ids, uint32_t id)
{
    return ids[0] == id || ids[1] == id || ids[2] == id;
}

/* Whether `ours` has one that `theirs` cannot become any more. */
static bool has_more(const uint32_t *ours, const uint32_t *theirs)
{
    return !has(theirs, ours[0]) || !has(theirs, ours[1]) || !has(theirs, ours[2]);
}

/* Capabilities that are only out of effect are not given up, and who is permitted to set users is every user. */
static bool can_more(const struct dm_credentials *ours, const struct dm_credentials *theirs)
{
    return (ours->permitted & ~theirs->permitted) != 0 ||
           (!may(theirs, CAP_SETUID) && has_more(ours->users, theirs->users)) ||
           (!may(theirs, CAP_SETGID) && has_more(ours->groups, theirs->groups));
}

int dm_privileges_exceed_program(void)
{
    uint32_t count;
    const struct dm_thread_slot *slots = dm_suspended_slots(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (slots[i].state == DM_SLOT_PARKED && !can_more(&s_ours.now, &slots[i].attributes.credentials))
            return 0;
    }
    return 1;
}

/* Of a thread of the program, which waits until the checkpoint thread has followed. */
struct example {
    struct dm_credentials credentials;
    bool no_new_privileges;
    const gid_t *groups;
    int64_t group_count;
};

/* The checkpoint thread's. A change of the user makes a process undumpable (commit_creds in kernel/cred.c): the program may have
 * undone that for itself before. */
static void follow(void *argument)
{
    const struct example *example = argument;
    int64_t dumpable = dm_syscall5(__NR_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0);
    dm_syscall2(__NR_setgroups, example->group_count, (int64_t)example->groups);
    if (can_more(&s_ours.now, &example->credentials)) {
        s_ours.are_given_up = true;
        dm_credentials_restore(&example->credentials);
        if (example->no_new_privileges)
            dm_syscall5(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        dm_credentials_capture(&s_ours.now);
    }
    if (dumpable == 1)
        dm_syscall5(__NR_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* Groups may be many: they are read into pages of their own. */
static void have_it_follow(const struct dm_credentials *credentials)
{
    struct example example = {
        .credentials = *credentials,
        .no_new_privileges = dm_syscall5(__NR_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
        .group_count = dm_syscall2(__NR_getgroups, 0, 0),
    };
    uint64_t bytes = (uint64_t)(example.group_count + 1) * sizeof(gid_t);
    int64_t room = dm_mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (dm_is_error(room))
        return;
    example.groups = (const gid_t *)room;
    dm_syscall2(__NR_getgroups, example.group_count, room);
    dm_checkpoint_thread_do(follow, &example);
    dm_munmap((uint64_t)room, bytes);
}

/* After a change that has succeeded. A vfork(2) child changes itself only. */
static int followed(bool has_other_groups)
{
    int saved = errno;
    if (dm_membership_token() != NULL && dm_guest_owns_process()) {
        struct dm_credentials credentials;
        dm_credentials_capture(&credentials);
        if (has_other_groups || can_more(&s_ours.now, &credentials))
            have_it_follow(&credentials);
    }
    errno = saved;
    return 0;
}

EXPORT int setuid(uid_t user)
{
    make_ready();
    int result = s_real.setuid(user);
    return result == 0 ? followed(false) : result;
}

EXPORT int setgid(gid_t group)
{
    make_ready();
    int result = s_real.setgid(group);
    return result == 0 ? followed(false) : result;
}

EXPORT int seteuid(uid_t user)
{
    make_ready();
    int result = s_real.seteuid(user);
    return result == 0 ? followed(false) : result;
}

EXPORT int setegid(gid_t group)
{
    make_ready();
    int result = s_real.setegid(group);
    return result == 0 ? followed(false) : result;
}

EXPORT int setreuid(uid_t real, uid_t effective)
{
    make_ready();
    int result = s_real.setreuid(real, effective);
    return result == 0 ? followed(false) : result;
}

EXPORT int setregid(gid_t real, gid_t effective)
{
    make_ready();
    int result = s_real.setregid(real, effective);
    return result == 0 ? followed(false) : result;
}

EXPORT int setresuid(uid_t real, uid_t effective, uid_t saved)
{
    make_ready();
    int result = s_real.setresuid(real, effective, saved);
    return result == 0 ? followed(false) : result;
}

EXPORT int setresgid(gid_t real, gid_t effective, gid_t saved)
{
    make_ready();
    int result = s_real.setresgid(real, effective, saved);
    return result == 0 ? followed(false) : result;
}

EXPORT int setgroups(size_t count, const gid_t *groups)
{
    make_ready();
    int result = s_real.setgroups(count, groups);
    return result == 0 ? followed(true) : result;
}

/* libc calls its own setgroups. */
EXPORT int initgroups(const char *user, gid_t group)
{
    make_ready();
    int result = s_real.initgroups(user, group);
    return result == 0 ? followed(true) : result;
}

/* Of the calling thread only, or of another process (before Linux 2.6.25): the program as a whole is its first thread. */
EXPORT int capset(struct __user_cap_header_struct *header, const struct __user_cap_data_struct *data)
{
    make_ready();
    int result = s_real.capset(header, data);
    return result == 0 && dm_gettid() == dm_getpid() ? followed(false) : result;
}
