/* World: all. */
#include "credentials.h"

#include <linux/capability.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>

#include "dm_syscall.h"

struct capabilities {
    struct __user_cap_data_struct words[2]; /* effective, permitted, inheritable; low half, high half */
};

static void read_capabilities(struct capabilities *capabilities)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    memset(capabilities, 0, sizeof *capabilities);
    dm_syscall2(__NR_capget, (int64_t)&header, (int64_t)capabilities);
}

void dm_credentials_capture(struct dm_credentials *credentials)
{
    uint32_t *u = credentials->users, *g = credentials->groups;
    struct capabilities now;
    dm_syscall3(__NR_getresuid, (int64_t)&u[0], (int64_t)&u[1], (int64_t)&u[2]);
    dm_syscall3(__NR_getresgid, (int64_t)&g[0], (int64_t)&g[1], (int64_t)&g[2]);
    read_capabilities(&now);
    credentials->effective = now.words[0].effective | (uint64_t)now.words[1].effective << 32;
    credentials->permitted = now.words[0].permitted | (uint64_t)now.words[1].permitted << 32;
    credentials->inheritable = now.words[0].inheritable | (uint64_t)now.words[1].inheritable << 32;
}

void dm_credentials_restore(const struct dm_credentials *credentials)
{
    const uint32_t *u = credentials->users, *g = credentials->groups;
    struct dm_credentials now;
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    dm_credentials_capture(&now);
    int64_t keeps = dm_syscall5(__NR_prctl, PR_GET_KEEPCAPS, 0, 0, 0, 0);
    bool other_user = memcmp(now.users, u, sizeof now.users) != 0;
    if (memcmp(now.groups, g, sizeof now.groups) != 0)
        dm_syscall3(__NR_setresgid, g[0], g[1], g[2]);
    if (other_user) {
        /* Leaving user 0 would take all capabilities away, also those that the thread had kept. */
        dm_syscall5(__NR_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
        dm_syscall3(__NR_setresuid, u[0], u[1], u[2]);
        dm_syscall5(__NR_prctl, PR_SET_KEEPCAPS, keeps, 0, 0, 0);
    }
    uint64_t permitted = credentials->permitted & now.permitted, effective = credentials->effective & permitted;
    uint64_t inheritable = credentials->inheritable & (now.inheritable | now.permitted);
    if (!other_user && permitted == now.permitted && effective == now.effective && inheritable == now.inheritable)
        return;
    struct capabilities wanted = {{
        {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)},
    }};
    dm_syscall2(__NR_capset, (int64_t)&header, (int64_t)&wanted);
}
