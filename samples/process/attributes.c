/* Proves: the small things that belong to a process or a thread come back: limits, a directory that was removed, scheduling,
 * CPU, priorities, name, slack, signal at the parent's death, no_new_privs, dumpable, personality, advice on memory, locked
 * memory, arguments and executable, what membarrier(2) knows, a mapping of an empty file; as root also effective users and capabilities that were given up. */
#include "../sample.h"
#include <linux/capability.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { PAGE = 4096, TEXT = 4096, RECORDS = 3 };

/* Everything that one thread sees of itself, as text, so that a difference can be shown. */
struct record {
    char text[2 * TEXT];
    size_t length;
};

static bool s_privileged;
static char *s_advised, *s_locked;
static pthread_barrier_t s_barrier;

__attribute__((format(printf, 2, 3))) static void add(struct record *record, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    record->length += (size_t)vsnprintf(record->text + record->length, sizeof record->text - record->length, format, arguments);
    va_end(arguments);
    CHECK(record->length < sizeof record->text, "the record is too long");
}

static void add_lines(struct record *record, const char *path, const char *wanted)
{
    char line[512], *names = strdup(wanted);
    FILE *file = fopen(path, "r");
    CHECK(file, "%s: %s", path, strerror(errno));
    while (fgets(line, sizeof line, file)) {
        char *rest, *copy = strdup(names);
        for (char *name = strtok_r(copy, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
            if (strncmp(line, name, strlen(name)) == 0)
                add(record, "%s", line);
        free(copy);
    }
    fclose(file);
    free(names);
}

static void add_bytes(struct record *record, const char *path)
{
    char bytes[TEXT];
    int fd = TRY(open(path, O_RDONLY));
    ssize_t length = TRY(read(fd, bytes, sizeof bytes));
    uint64_t sum = 0;
    for (ssize_t i = 0; i < length; i++)
        sum = sample_mix(sum ^ (unsigned char)bytes[i]);
    add(record, "%s: %zd bytes %016llx\n", path, length, (unsigned long long)sum);
    close(fd);
}

/* VmFlags of the mapping that begins at `start`. */
static void add_flags(struct record *record, const void *start)
{
    char line[512], wanted[32];
    bool inside = false;
    FILE *file = fopen("/proc/self/smaps", "r");
    CHECK(file, "smaps: %s", strerror(errno));
    snprintf(wanted, sizeof wanted, "%lx-", (unsigned long)start);
    while (fgets(line, sizeof line, file)) {
        inside |= strncmp(line, wanted, strlen(wanted)) == 0;
        if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            add(record, "%s %s", wanted, line);
            inside = false;
        }
    }
    fclose(file);
}

static void describe_thread(struct record *record)
{
    cpu_set_t cpus;
    char name[16] = "", status[64];
    int death = 0;
    struct sched_param parameter;
    TRY(sched_getaffinity(0, sizeof cpus, &cpus));
    TRY(prctl(PR_GET_NAME, name));
    TRY(prctl(PR_GET_PDEATHSIG, &death));
    TRY(sched_getparam(0, &parameter));
    add(record, "name %s cpus %d policy %d priority %d nice %d slack %d death %d no_new_privs %d io %ld personality %x\n", name, CPU_COUNT(&cpus),
        sched_getscheduler(0), parameter.sched_priority, getpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid)),
        prctl(PR_GET_TIMERSLACK), death, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), syscall(SYS_ioprio_get, 1, 0),
        personality(0xffffffff));
    snprintf(status, sizeof status, "/proc/self/task/%ld/status", syscall(SYS_gettid));
    add_lines(record, status, "Name: Umask: Uid: Gid: Groups: CapInh: CapPrm: CapEff: Seccomp: NoNewPrivs: SigBlk:");
}

static void describe_process(struct record *record)
{
    char where[TEXT];
    int dumpable = TRY(prctl(PR_GET_DUMPABLE));
    TRY(prctl(PR_SET_DUMPABLE, 1));                       /* else the files in /proc are root's */
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit limit;
        TRY(getrlimit(i, &limit));
        add(record, "limit %d %llu %llu\n", i, (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
    }
    add(record, "directory %s\n", getcwd(where, sizeof where) ? where : strerror(errno));
    add(record, "dumpable %d thp %d keepcaps %d break %p\n", dumpable, prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0),
        prctl(PR_GET_KEEPCAPS), sbrk(0));
    add(record, "barriers %ld %ld\n", syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0),
        syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0));
    add_lines(record, "/proc/self/status", "VmLck: SigIgn:");
    add_bytes(record, "/proc/self/cmdline");
    add_bytes(record, "/proc/self/auxv");
    add_bytes(record, "/proc/self/environ");
    ssize_t length = TRY(readlink("/proc/self/exe", where, sizeof where - 1));
    add(record, "exe %.*s\n", (int)length, where);
    add_flags(record, s_advised);
    add_flags(record, s_advised + 16 * PAGE);
    add_flags(record, s_locked);
    TRY(prctl(PR_SET_DUMPABLE, dumpable));
}

static void compare(const struct record *before, const struct record *now, const char *what)
{
    size_t same = 0;
    while (same < before->length && before->text[same] == now->text[same])
        same++;
    if (before->length == now->length && same == before->length)
        return;
    while (same > 0 && before->text[same - 1] != '\n')
        same--;
    sample_fail("%s: '%.*s' became '%.*s'", what, (int)strcspn(before->text + same, "\n"), before->text + same,
                (int)strcspn(now->text + same, "\n"), now->text + same);
}

static void prepare_memory(void)
{
    s_advised = TRY((char *)mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    TRY(madvise(s_advised, 16 * PAGE, MADV_DONTFORK));
    TRY(madvise(s_advised + 16 * PAGE, 16 * PAGE, MADV_DONTDUMP));
    TRY(madvise(s_advised + 16 * PAGE, 16 * PAGE, MADV_NOHUGEPAGE));
    s_locked = TRY((char *)mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    TRY(mlock(s_locked, 4 * PAGE));
    int empty = TRY(memfd_create("empty", MFD_CLOEXEC));  /* as .NET does: a mapping where nothing can be read */
    TRY(mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE, empty, 0));
    close(empty);
}

static void prepare_process(void)
{
    char *gone = sample_path("gone-directory");
    struct rlimit files = { 200, 300 }, core = { 0, RLIM_INFINITY };
    TRY(mkdir(gone, 0700));
    TRY(chdir(gone));
    TRY(rmdir(gone));
    umask(031);
    TRY(setrlimit(RLIMIT_NOFILE, &files));
    TRY(getrlimit(RLIMIT_CORE, &core));
    core.rlim_cur = 0;
    TRY(setrlimit(RLIMIT_CORE, &core));
    TRY(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
    TRY(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
    prepare_memory();
}

static void give_up_capability(unsigned capability)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2];
    TRY(syscall(SYS_capget, &header, data));
    data[capability / 32].effective &= ~(1u << capability % 32);
    data[capability / 32].permitted &= ~(1u << capability % 32);
    TRY(syscall(SYS_capset, &header, data));
}

/* Each thread is different. */
static void prepare_thread(long index)
{
    char name[16];
    cpu_set_t one;
    struct sched_param none = { 0 };
    snprintf(name, sizeof name, "thread %ld)", index);
    TRY(prctl(PR_SET_NAME, name));
    CPU_ZERO(&one);
    CPU_SET((int)index % (int)sysconf(_SC_NPROCESSORS_ONLN), &one);
    TRY(sched_setaffinity(0, sizeof one, &one));
    TRY(sched_setscheduler(0, index == 1 ? SCHED_BATCH : SCHED_OTHER, &none));
    TRY(setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), (int)index + 2));
    TRY(prctl(PR_SET_TIMERSLACK, 60000 + index));
    TRY(prctl(PR_SET_PDEATHSIG, index == 2 ? SIGUSR1 : 0));
    TRY(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | (4 + index)));
    personality(index == 0 ? 0 : ADDR_NO_RANDOMIZE);
    if (index == 1)
        TRY(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    if (s_privileged && index == 2) {
        give_up_capability(CAP_SYS_TIME);
        TRY(syscall(SYS_setresuid, -1, 1234, -1));        /* of this thread only: not libc's setresuid */
    }
}

static void *run(void *argument)
{
    static struct record before[RECORDS], now[RECORDS];
    long index = (long)argument;
    prepare_thread(index);
    describe_thread(&before[index]);
    pthread_barrier_wait(&s_barrier);                     /* all are described */
    pthread_barrier_wait(&s_barrier);                     /* it is time to verify */
    describe_thread(&now[index]);                         /* /proc/self/task/TID/status is everybody's */
    compare(&before[index], &now[index], "a thread");
    return NULL;
}

int main(void)
{
    static struct record before, now;
    pthread_t threads[RECORDS];
    s_privileged = geteuid() == 0;
    prepare_process();
    TRY(pthread_barrier_init(&s_barrier, NULL, RECORDS + 1));
    for (long i = 0; i < RECORDS; i++)
        CHECK(pthread_create(&threads[i], NULL, run, (void *)i) == 0, "no thread");
    pthread_barrier_wait(&s_barrier);
    TRY(prctl(PR_SET_DUMPABLE, 0));                       /* after the credentials: they change it */
    describe_process(&before);

    sample_ready();
    while (sample_more(100))
        sample_idle();

    pthread_barrier_wait(&s_barrier);
    for (int i = 0; i < RECORDS; i++)
        pthread_join(threads[i], NULL);
    describe_process(&now);
    compare(&before, &now, "the process");
    return sample_ok(0);
}
