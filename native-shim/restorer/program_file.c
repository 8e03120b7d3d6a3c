/* World: Bare. */
#include "program_file.h"

#include "base.h"
#include "dm_syscall.h"
#include "kernel.h"
#include "member.h"

#define VARIABLE "DORMOUSE_WAKE="
#define LIBRARY "dormouse-wake.so"
#define PATH_BYTES 4096
#define ENVIRONMENT_BYTES 8192

/* Beside this program. 0 when it is nowhere. */
static int find_library(char *path)
{
    int64_t length =
        dm_syscall3(__NR_readlink, (int64_t) "/proc/self/exe", (int64_t)path, PATH_BYTES - sizeof LIBRARY - 1);
    while (length > 0 && path[length - 1] != '/')
        length--;
    if (length <= 0)
        return 0;
    memcpy(path + length, LIBRARY, sizeof LIBRARY);
    return dm_syscall2(__NR_access, (int64_t)path, 4 /* R_OK */) == 0;
}

void dm_become_program_file(struct dm_run *run, int32_t index)
{
    const char *file = dm_string(run, run->nodes[index].file);
    char library[PATH_BYTES], audit[PATH_BYTES + 16], which[64];
    if (*file == 0 || !find_library(library))
        return;
    dm_format(audit, sizeof audit, "LD_AUDIT=%s", library);
    dm_format(which, sizeof which, VARIABLE "%d:%d:%d", run->plan_fd, run->board_fd, index);
    run->board->open_files[0] = run->descriptors.soft;
    run->board->open_files[1] = run->descriptors.hard;
    /* The kernel writes to a registered rseq(2) area, which will be gone. */
    const char *environment[] = {audit, which, "LD_TRACE_LOADED_OBJECTS=1", "GLIBC_TUNABLES=glibc.pthread.rseq=0", 0};
    const char *arguments[] = {file, 0};
    (void)dm_syscall3(__NR_execve, (int64_t)file, (int64_t)arguments, (int64_t)environment);
}

static int read_numbers(const char *text, int32_t *numbers, int count)
{
    for (int i = 0; i < count; i++) {
        numbers[i] = dm_take_decimal(&text);
        if (numbers[i] < 0)
            return 0;
        text += *text == ':';
    }
    return 1;
}

void dm_wake_again(void)
{
    char environment[ENVIRONMENT_BYTES];
    int32_t numbers[3];
    int64_t length = dm_read_file("/proc/self/environ", environment, sizeof environment - 1);
    if (length <= 0)
        return;
    environment[length] = 0;
    const char *entry = environment;
    while (entry < environment + length && memcmp(entry, VARIABLE, sizeof VARIABLE - 1) != 0)
        entry += dm_length(entry) + 1;
    if (entry >= environment + length || !read_numbers(entry + sizeof VARIABLE - 1, numbers, 3))
        return;
    struct dm_run run;
    memset(&run, 0, sizeof run);
    run.is_again = 1;
    dm_run_read_plan(&run, numbers[0]);
    dm_run_open_board(&run, numbers[1]);
    dm_run_find_kernel_parts(&run);
    run.descriptors = (struct dm_limit){run.board->open_files[0], run.board->open_files[1]};
    dm_member_wake(&run, numbers[2]);
}
