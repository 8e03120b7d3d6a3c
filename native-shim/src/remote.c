/* World: Guest, vfork(2) child, signal handler. See remote.h. */
#define _GNU_SOURCE
#include "remote.h"

#include <fcntl.h>
#include <string.h>

#include "dm_syscall.h"
#include "membership.h"

static const char s_command[] = "/bin/dmssh";
static const char s_variable[] = "DORMOUSE_SSH_PROGRAM=";

static int may_execute(const char *path)
{
    return dm_syscall3(__NR_faccessat, AT_FDCWD, (int64_t)path, 1 /* X_OK */) == 0;
}

/* One with a directory that cannot be executed fails as it always does. */
int dm_remote_is(const char *program)
{
    if (program == NULL)
        return 0;
    const char *slash = strrchr(program, '/');
    const char *name = slash == NULL ? program : slash + 1;
    if (strcmp(name, "ssh") != 0 && strcmp(name, "rsh") != 0)
        return 0;
    return slash == NULL || may_execute(program);
}

size_t dm_remote_path_bytes(void)
{
    const char *prefix;
    return dm_membership_prefix(&prefix) + sizeof s_command;
}

int dm_remote_path(char *path)
{
    const char *prefix;
    size_t bytes = dm_membership_prefix(&prefix);
    char *end = mempcpy(path, prefix, bytes);
    memcpy(end, s_command, sizeof s_command);
    return bytes > 0 && may_execute(path);
}

size_t dm_remote_variable_bytes(const char *program)
{
    return sizeof s_variable + strlen(program);
}

char *dm_remote_variable(const char *program, char *variable)
{
    strcpy(mempcpy(variable, s_variable, sizeof s_variable - 1), program);
    return variable;
}
