/* Where the command runs: started by sshd, whose pipes are left at once, since they end outside of the computation.
 * World: ordinary. */
#define _GNU_SOURCE
#include "side.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include "channel.h"
#include "terminal.h"

enum { CANNOT_START = 127, KILLED = 255 };

static const struct relay_options *s_options;
static struct channel s_channel;
static pid_t s_command;
static int s_status = -1; /* of the command, once it has ended */
static int s_terminal = -1;

static void ignore(int number)
{
    (void)number;
}

static _Noreturn void become_command(void)
{
    sigset_t none;
    sigemptyset(&none);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv(s_options->program, s_options->arguments);
    fprintf(stderr, "%s: %s\n", s_options->program, strerror(errno));
    _exit(CANNOT_START);
}

/* A session of its own, as sshd gives it. */
static bool start_with_pipes(void)
{
    int in[2], out[2], err[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
        return false;
    s_command = fork();
    if (s_command == 0) {
        setsid();
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        become_command();
    }
    close(in[0]);
    close(out[1]);
    close(err[1]);
    fcntl(in[1], F_SETFL, O_NONBLOCK);
    s_channel.sinks[0] = (struct stream){in[1], FRAME_INPUT};
    s_channel.sources[0] = (struct stream){out[0], FRAME_OUTPUT};
    s_channel.sources[1] = (struct stream){err[0], FRAME_ERROR};
    return s_command > 0;
}

static bool start_at_terminal(const struct terminal_state *state)
{
    int inner;
    if (openpty(&s_terminal, &inner, NULL, state->has_modes ? &state->modes : NULL, &state->window) != 0)
        return false;
    fcntl(s_terminal, F_SETFD, FD_CLOEXEC);
    s_command = fork();
    if (s_command == 0) {
        login_tty(inner);
        become_command();
    }
    close(inner);
    s_channel.sinks[0] = (struct stream){s_terminal, FRAME_INPUT};
    s_channel.sources[0] = (struct stream){dup(s_terminal), FRAME_OUTPUT};
    fcntl(s_channel.sources[0].fd, F_SETFD, FD_CLOEXEC);
    return s_command > 0;
}

static void close_stream(struct stream *stream)
{
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
}

static void take_terminal(const uint8_t *payload, size_t bytes)
{
    struct terminal_state state;
    if (bytes != sizeof state)
        return;
    memcpy(&state, payload, sizeof state);
    if (s_command == 0)
        (void)start_at_terminal(&state);
    else if (s_terminal >= 0)
        (void)ioctl(s_terminal, TIOCSWINSZ, &state.window);
}

static void end_input(void)
{
    struct termios modes;
    struct stream *input = &s_channel.sinks[0];
    if (s_terminal < 0) {
        close_stream(input);
    } else if (input->fd >= 0 && tcgetattr(s_terminal, &modes) == 0) {
        if (write(input->fd, &modes.c_cc[VEOF], 1) < 0)
            close_stream(input);
    }
}

static bool control(struct channel *channel, enum frame_kind kind, const uint8_t *payload, size_t bytes)
{
    if (kind == FRAME_TERMINAL)
        take_terminal(payload, bytes);
    else if (kind == FRAME_INPUT)
        end_input();
    else if (kind == FRAME_UNWANTED && bytes == 1)
        close_stream(&channel->sources[payload[0] == FRAME_ERROR]);
    return true;
}

/* As sshd: the end is told when nobody holds the outputs any more. */
static bool turn(struct channel *channel)
{
    int status;
    if (s_command > 0 && s_status < 0 && waitpid(s_command, &status, WNOHANG) == s_command)
        s_status = WIFEXITED(status) ? WEXITSTATUS(status) : KILLED;
    if (s_status < 0 || channel_has_sources(channel) || !channel_is_clear(channel))
        return true;
    int32_t told = s_status;
    channel_send(channel, FRAME_STATUS, &told, sizeof told);
    return false;
}

static void leave_pipes_of_sshd(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    if (null > 2)
        close(null);
}

static void block_child_signal(void)
{
    sigset_t set;
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = ignore}, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN); /* the connection, not sshd's session, says how long we live */
}

int relay_remote(const struct relay_options *options)
{
    s_options = options;
    s_channel = (struct channel){
        .socket = options->socket,
        .sources = {{-1, 0}, {-1, 0}},
        .sinks = {{-1, FRAME_INPUT}, {-1, 0}},
        .control = control,
        .turn = turn,
    };
    channel_open(&s_channel);
    leave_pipes_of_sshd();
    block_child_signal();
    if (!options->terminal && !start_with_pipes())
        return CANNOT_START;
    if (!channel_run(&s_channel))
        return KILLED; /* nobody listens any more: a command at a terminal is hung up, others go on as under sshd */
    return channel_flush(&s_channel) ? 0 : KILLED;
}
