/* Proves: files come back at their offsets, shared descriptions stay shared between
 * descriptors and processes, appended output is cut back to where it was, unlinked
 * files keep their contents, those with another name that, locks are held, directory, umask and cwd are right. */
#include "../sample.h"
#include <dirent.h>
#include <sys/file.h>

static bool locked_for_others(int fd, const char *path, bool by_flock)
{
    pid_t child = TRY(fork());
    if (child == 0) {
        struct flock lock = { .l_type = F_WRLCK };
        int other = by_flock ? TRY(open(path, O_RDWR)) : fd;
        int result = by_flock ? flock(other, LOCK_EX | LOCK_NB) : fcntl(other, F_SETLK, &lock);
        _exit(result == -1 && (errno == EAGAIN || errno == EACCES));
    }
    int status;
    TRY(waitpid(child, &status, 0));
    return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

static void expect_text(int fd, const char *text, const char *what)
{
    char buffer[100] = "";
    ssize_t count = pread(fd, buffer, sizeof buffer - 1, 0);
    CHECK(count == (ssize_t)strlen(text) && strcmp(buffer, text) == 0, "%s contains '%s', not '%s'", what, buffer, text);
}

int main(void)
{
    char *data_path = sample_path("data"), *log_path = sample_path("log"), *gone_path = sample_path("gone");
    char *directory = strndup(data_path, strrchr(data_path, '/') - data_path), where[4096];
    TRY(chdir(directory));
    umask(027);

    int data = TRY(open(data_path, O_RDWR | O_CREAT | O_TRUNC, 0640)), copy = TRY(dup(data));
    sample_write(data, "abcdefghij", 10, "data");
    TRY(lseek(copy, 3, SEEK_SET));
    int reader = TRY(open("data", O_RDONLY | O_CLOEXEC));
    TRY(lseek(reader, 8, SEEK_SET));
    int log = TRY(open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0640));
    int gone = TRY(open(gone_path, O_RDWR | O_CREAT | O_TRUNC, 0600));
    sample_write(gone, "still here", 10, "unlinked file");
    TRY(unlink(gone_path));
    int placed = TRY(open("placed.tmp", O_RDWR | O_CREAT | O_TRUNC, 0600));
    TRY(link("placed.tmp", "placed"));
    TRY(unlink("placed.tmp"));
    int late = open(".", O_TMPFILE | O_RDWR, 0600);
    if (late >= 0) {                              /* not all file systems have that */
        char link_path[64];
        snprintf(link_path, sizeof link_path, "/proc/self/fd/%d", late);
        TRY(linkat(AT_FDCWD, link_path, AT_FDCWD, "late", AT_SYMLINK_FOLLOW));
    }
    struct flock lock = { .l_type = F_WRLCK };
    TRY(fcntl(data, F_SETLK, &lock));
    TRY(flock(log, LOCK_EX));
    int directory_fd = TRY(open(".", O_RDONLY | O_DIRECTORY)), null = TRY(open("/dev/null", O_RDWR));

    int go[2];
    TRY(pipe(go));
    pid_t child = TRY(fork());                    /* shares the description of data */
    if (child == 0) {
        char byte;
        close(go[1]);
        if (read(go[0], &byte, 1) == 1)
            TRY(lseek(data, 5, SEEK_SET));
        _exit(0);
    }

    sample_ready();
    long lines = 0;
    for (; sample_more(100); lines++) {
        char line[32];
        snprintf(line, sizeof line, "line %08ld\n", lines);
        sample_write(log, line, 14, "log");
        sample_idle();
    }

    CHECK(lseek(data, 0, SEEK_CUR) == 3 && lseek(copy, 0, SEEK_CUR) == 3, "data is at %ld", (long)lseek(data, 0, SEEK_CUR));
    CHECK(lseek(reader, 0, SEEK_CUR) == 8, "the reader is at %ld", (long)lseek(reader, 0, SEEK_CUR));
    sample_write(go[1], "!", 1, "pipe");
    sample_wait_child(child, "child");
    CHECK(lseek(data, 0, SEEK_CUR) == 5, "the child's lseek is not seen: offset %ld", (long)lseek(data, 0, SEEK_CUR));
    expect_text(data, "abcdefghij", "data");
    expect_text(gone, "still here", "the unlinked file");
    sample_write(placed, "by name", 7, "the file with another name");
    expect_text(TRY(open("placed", O_RDONLY)), "by name", "the file with another name");
    if (late >= 0) {
        sample_write(late, "named", 5, "the file with a late name");
        expect_text(TRY(open("late", O_RDONLY)), "named", "the file with a late name");
        unlink("late");
    }
    struct stat status;
    TRY(fstat(gone, &status));
    CHECK(status.st_nlink == 0, "the unlinked file has a name again");
    CHECK(fcntl(reader, F_GETFD) == FD_CLOEXEC && (fcntl(log, F_GETFL) & (O_APPEND | O_ACCMODE)) == (O_APPEND | O_WRONLY), "flags differ");
    CHECK(locked_for_others(data, data_path, false), "the fcntl lock is lost");
    CHECK(locked_for_others(log, log_path, true), "the flock is lost");
    CHECK(umask(0) == 027, "the umask differs");
    CHECK(getcwd(where, sizeof where) && strcmp(where, directory) == 0, "the working directory is %s", where);
    CHECK(faccessat(directory_fd, "data", R_OK, 0) == 0, "the directory descriptor is lost");
    CHECK(read(null, where, 1) == 0, "/dev/null is lost");

    FILE *stream = fopen(log_path, "r");
    CHECK(stream, "fopen: %s", strerror(errno));
    char line[32];
    for (long i = 0; i < lines; i++)
        CHECK(fgets(line, sizeof line, stream) && strlen(line) == 14 && atol(line + 5) == i, "line %ld of the log is '%s'", i, line);
    CHECK(!fgets(line, sizeof line, stream), "the log has a line too many: '%s'", line);
    unlink(data_path);
    unlink(log_path);
    unlink("placed");
    return sample_ok(0);
}
