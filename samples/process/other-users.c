/* Proves: a program that becomes another user than root does so with every thread of its processes, also those that are not its own; what it
 * has opened before comes back, what it makes afterwards belongs to the user, and it may not become root again. To be run as root:
 * one process gives everything up, one keeps a capability, one goes to and fro, one starts a program as the user. */
#include "../sample.h"
#include <dirent.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/socket.h>

enum { USER = 1234, GROUP = 2345, OTHER_GROUP = 3456, KEPT = CAP_NET_BIND_SERVICE, GO_ON = 10, LOG = 11 };

int capset(struct __user_cap_header_struct *header, const struct __user_cap_data_struct *data);

static int s_pair[2];
static const char *s_who;

/* --- what the kernel says of all threads of this process ------------------------------------------------------------------ */

static void expect_line(const char *status, const char *name, const char *wanted)
{
    const char *line = strstr(status, name);
    CHECK(line, "no %s", name);
    const char *value = line + strlen(name) + strspn(line + strlen(name), "\t ");
    int length = (int)strcspn(value, "\n");
    while (length > 0 && value[length - 1] == ' ')
        length--;
    CHECK(length == (int)strlen(wanted) && memcmp(value, wanted, (size_t)length) == 0, "%s: a thread has %s '%.*s', not '%s'", s_who, name, length,
          value, wanted);
}

static void expect_all(const char *users, const char *groups, const char *more_groups, const char *permitted)
{
    DIR *tasks = TRY((DIR *)opendir("/proc/self/task"));
    for (struct dirent *task; (task = readdir(tasks));) {
        char path[300], status[4096];
        if (*task->d_name == '.')
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
        int fd = open(path, O_RDONLY);
        ssize_t length = fd < 0 ? -1 : read(fd, status, sizeof status - 1);
        close(fd);
        if (length <= 0)
            continue;                                     /* it has ended */
        status[length] = '\0';
        expect_line(status, "Uid:", users);
        expect_line(status, "Gid:", groups);
        expect_line(status, "Groups:", more_groups);
        expect_line(status, "CapPrm:", permitted);
    }
    closedir(tasks);
}

/* --- what it has opened as root, and what it has made as the user ----------------------------------------------------------- */

static void make_sockets(void)
{
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, s_pair));
}

static void expect_files(uid_t user)
{
    struct stat status;
    struct ucred peer;
    socklen_t bytes = sizeof peer;
    TRY(dprintf(LOG, "%s\n", s_who));
    TRY(fstat(LOG, &status));
    CHECK(status.st_uid == 0 && status.st_nlink == 1, "%s: the log has owner %u and %lu names", s_who, status.st_uid, (unsigned long)status.st_nlink);
    TRY(getsockopt(s_pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &bytes));
    CHECK(peer.uid == user, "%s: a socket is user %u's", s_who, peer.uid);
}

/* Until the parent closes its end. */
static void live(void (*verify)(void), uid_t user)
{
    struct pollfd parent = { .fd = GO_ON, .events = POLLIN };
    do {
        verify();
        expect_files(user);
    } while (poll(&parent, 1, 10) == 0);
    _exit(0);
}

/* --- the processes ---------------------------------------------------------------------------------------------------------- */

static void *sleep_long(void *unused)
{
    for (;;)
        pause();
    return unused;
}

static void become_user(void)
{
    gid_t groups[] = { OTHER_GROUP };
    TRY(setgroups(1, groups));
    TRY(setgid(GROUP));
    TRY(setuid(USER));
}

static void verify_user(void)
{
    expect_all("1234\t1234\t1234\t1234", "2345\t2345\t2345\t2345", "3456", "0000000000000000");
    CHECK(setuid(0) != 0 && setgid(0) != 0, "%s: it is root again", s_who);
}

static void give_all_up(void)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, sleep_long, NULL) == 0, "no thread");
    become_user();
    make_sockets();
    live(verify_user, USER);
}

static void verify_kept(void)
{
    char permitted[17];
    snprintf(permitted, sizeof permitted, "%016x", 1u << KEPT);
    expect_all("1234\t1234\t1234\t1234", "0\t0\t0\t0", "", permitted);
}

static void keep_one(void)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2] = { { 1u << KEPT, 1u << KEPT, 0 }, { 0 } };
    TRY(setgroups(0, NULL));
    TRY(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
    TRY(setresuid(USER, USER, USER));
    TRY(capset(&header, data));
    make_sockets();
    live(verify_kept, USER);
}

static void verify_return(void)
{
    TRY(seteuid(USER));
    CHECK(geteuid() == USER && getuid() == 0, "%s: users %u, %u", s_who, geteuid(), getuid());
    TRY(seteuid(0));
}

static void go_to_and_fro(void)
{
    make_sockets();
    live(verify_return, 0);
}

static void start_program(void)
{
    become_user();
    execl("/proc/self/exe", "other-users", "started", (char *)NULL);
    sample_fail("execl: %s", strerror(errno));
}

static void be_started(void)
{
    s_who = "the program that was started";
    make_sockets();
    live(verify_user, USER);
}

static const struct {
    const char *name;
    void (*run)(void);
} Processes[] = {
    { "who gives all up", give_all_up }, { "who keeps a capability", keep_one },
    { "who goes to and fro", go_to_and_fro }, { "who starts a program", start_program },
};
enum { COUNT = sizeof Processes / sizeof Processes[0] };

int main(int count, char **arguments)
{
    (void)arguments;
    if (count > 1)
        be_started();
    CHECK(geteuid() == 0, "only root can become another user");
    pid_t children[COUNT];
    int go_on[2];
    TRY(pipe(go_on));
    TRY(dup2(go_on[0], GO_ON));
    TRY(dup2(TRY(open(sample_path("log"), O_WRONLY | O_APPEND | O_CREAT, 0600)), LOG));
    for (int i = 0; i < COUNT; i++) {
        children[i] = TRY(fork());
        if (children[i] == 0) {
            close(go_on[1]);
            s_who = Processes[i].name;
            Processes[i].run();
        }
    }
    sample_ready();
    while (sample_more(100))
        sample_idle();
    close(go_on[1]);
    for (int i = 0; i < COUNT; i++)
        sample_wait_child(children[i], Processes[i].name);
    return sample_ok(0);
}
