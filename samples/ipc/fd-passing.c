/* Proves: descriptors that were sent over an AF_UNIX socket and not yet received
 * arrive with the right bytes, and still mean the same pipe and the same file. */
#include "../sample.h"
#include <sys/socket.h>

static void send_fd(int socket, const char *text, int fd)
{
    char control[CMSG_SPACE(sizeof fd)] = { 0 };
    struct iovec bytes = { (void *)text, strlen(text) };
    struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };
    if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd) };
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    CHECK(sendmsg(socket, &message, 0) == (ssize_t)strlen(text), "sendmsg: %s", strerror(errno));
}

/* Receives at most size bytes; the descriptor that came along, or -1. */
static int receive_fd(int socket, char *text, size_t size)
{
    char control[CMSG_SPACE(4 * sizeof(int))];
    struct iovec bytes = { text, size };
    struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    ssize_t count = TRY(recvmsg(socket, &message, MSG_DONTWAIT));
    text[count] = 0;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    int fd = -1;
    if (header)
        memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

int main(void)
{
    int streams[2], datagrams[2], pipe_fds[2];
    char text[100], *path = sample_path("passed.txt");
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, streams));
    TRY(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams));
    TRY(pipe(pipe_fds));
    int file = TRY(open(path, O_RDWR | O_CREAT | O_TRUNC, 0600));
    sample_write(file, "0123456789", 10, "file");
    TRY(lseek(file, 4, SEEK_SET));

    send_fd(streams[0], "AAAA", -1);
    send_fd(streams[0], "with the pipe", pipe_fds[0]);
    send_fd(streams[0], "BBBB", -1);
    send_fd(datagrams[0], "with the file", file);
    close(pipe_fds[0]);                          /* only in flight from here on */

    sample_ready();
    while (sample_more(100))
        sample_idle();

    CHECK(receive_fd(streams[1], text, 4) == -1 && strcmp(text, "AAAA") == 0, "bytes before: '%s'", text);
    int passed_pipe = receive_fd(streams[1], text, 13);
    CHECK(strcmp(text, "with the pipe") == 0 && passed_pipe >= 0, "no pipe came with '%s'", text);
    CHECK(receive_fd(streams[1], text, 50) == -1 && strcmp(text, "BBBB") == 0, "bytes behind: '%s'", text);
    sample_write(pipe_fds[1], "hello", 5, "pipe");
    sample_read(passed_pipe, text, 5, "passed pipe");
    CHECK(memcmp(text, "hello", 5) == 0, "the passed pipe is another");

    int passed_file = receive_fd(datagrams[1], text, 50);
    CHECK(strcmp(text, "with the file") == 0 && passed_file >= 0, "no file came with '%s'", text);
    sample_read(passed_file, text, 3, "passed file");
    CHECK(memcmp(text, "456", 3) == 0 && lseek(file, 0, SEEK_CUR) == 7, "the passed file does not share its offset");
    unlink(path);
    return sample_ok(0);
}
