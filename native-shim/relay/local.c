/* Where a program has started ssh: its standard streams are ours. World: ordinary. */
#define _GNU_SOURCE
#include "side.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "terminal.h"

enum { LOST = 255 }; /* as ssh(1) says it */

static struct channel s_channel;
static volatile sig_atomic_t s_window_changed, s_is_ended;
static int s_status = LOST;

static void note_window(int number)
{
    (void)number;
    s_window_changed = 1;
}

/* ssh, too, ends with 255 then, after the terminal has been put back. */
static void note_end(int number)
{
    (void)number;
    s_is_ended = 1;
}

static void send_terminal(struct channel *channel)
{
    struct terminal_state state;
    terminal_read(&state);
    channel_send(channel, FRAME_TERMINAL, &state, sizeof state);
}

static bool turn(struct channel *channel)
{
    if (s_window_changed && channel_is_clear(channel)) {
        s_window_changed = 0;
        send_terminal(channel);
    }
    return !s_is_ended;
}

static bool control(struct channel *channel, enum frame_kind kind, const uint8_t *payload, size_t bytes)
{
    (void)channel;
    if (kind != FRAME_STATUS || bytes != sizeof(int32_t))
        return true; /* the end of an output: ours stays open until the command's end, as ssh's does */
    int32_t status;
    memcpy(&status, payload, sizeof status);
    s_status = status;
    return false;
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction old;
    sigset_t set;
    if (sigaction(number, NULL, &old) != 0 || old.sa_handler == SIG_IGN)
        return;
    sigaction(number, &(struct sigaction){.sa_handler = handler}, NULL);
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

int relay_local(const struct relay_options *options)
{
    s_channel = (struct channel){
        .socket = options->socket,
        .sources = {{options->no_input ? open("/dev/null", O_RDONLY | O_CLOEXEC) : STDIN_FILENO, FRAME_INPUT}, {-1, 0}},
        .sinks = {{STDOUT_FILENO, FRAME_OUTPUT}, {STDERR_FILENO, FRAME_ERROR}},
        .control = control,
        .turn = turn,
    };
    channel_open(&s_channel);
    signal(SIGPIPE, SIG_IGN);
    handle(SIGHUP, note_end);
    handle(SIGINT, note_end);
    handle(SIGTERM, note_end);
    handle(SIGQUIT, note_end);
    if (options->terminal) {
        handle(SIGWINCH, note_window);
        send_terminal(&s_channel);
        terminal_make_raw();
    }
    bool is_whole = channel_run(&s_channel);
    terminal_put_back();
    if (options->terminal && !options->quiet)
        fprintf(stderr, "Connection to %s closed.\r\n", options->host);
    if (!is_whole)
        fprintf(stderr, "dmssh: the connection to %s was lost.\n", options->host);
    return s_status;
}
