/* Proves: descriptors that were sent over an AF_UNIX socket and not yet received
 * arrive with the right bytes, and still mean the same pipe and the same file: held by
 * nobody else, shared with another process, several in one message, and a socket that
 * has such a message in it while it is under way itself. */
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

/* In the child: keeps the other end of what it sent, and shares the offset of the file. */
static void partner(int socket, int file)
{
    char text[10];
    int own[2];
    TRY(pipe(own));
    send_fd(socket, "p", own[1]);
    send_fd(socket, "f", file);
    close(own[1]);
    sample_read(own[0], text, 6, "partner's pipe");
    CHECK(memcmp(text, "family", 6) == 0, "the partner's pipe is another");
    CHECK(read(own[0], text, 1) == 0, "somebody still has the partner's pipe open");
    _exit(0);
}

int main(void)
{
    int family[2], nested[2];
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

    TRY(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, family));
    pid_t child = TRY(fork());
    if (child == 0) {
        close(pipe_fds[1]);
        close(family[0]);
        partner(family[1], file);
    }
    close(family[1]);

    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, nested));
    send_fd(nested[0], "inner", file);
    send_fd(streams[1], "outer", nested[1]);
    close(nested[1]);

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

    int outer = receive_fd(streams[0], text, 50);
    CHECK(strcmp(text, "outer") == 0 && outer >= 0, "no socket came with '%s'", text);
    int inner = receive_fd(outer, text, 50);
    CHECK(strcmp(text, "inner") == 0 && inner >= 0, "no file came with '%s' in the socket that came", text);
    CHECK(lseek(inner, 0, SEEK_CUR) == 7, "the file in the socket that came does not share its offset");

    int partner_pipe = receive_fd(family[0], text, 10), partner_file = receive_fd(family[0], text, 10);
    CHECK(partner_pipe >= 0 && partner_file >= 0 && strcmp(text, "f") == 0, "the partner's descriptors did not come");
    CHECK(lseek(partner_file, 0, SEEK_CUR) == 7, "the partner's file does not share its offset");
    sample_write(partner_pipe, "family", 6, "partner's pipe");
    close(partner_pipe);
    sample_wait_child(child, "partner");
    unlink(path);
    return sample_ok(0);
}
