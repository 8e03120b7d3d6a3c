/* Proves: a pseudo terminal keeps settings, window size, unread bytes in both
 * directions, and stays the controlling terminal of the session on it. */
#include "../sample.h"
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>

static volatile sig_atomic_t s_interrupted;

static void on_interrupt(int number) { s_interrupted = number; }

/* The session on the terminal: waits for ^C from it, then for a line. */
__attribute__((noreturn)) static void session(int slave)
{
    TRY(setsid());
    TRY(ioctl(slave, TIOCSCTTY, 0));
    struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = SA_RESTART };
    TRY(sigaction(SIGINT, &action, NULL));
    sample_write(slave, "started\n", 8, "slave");
    while (!s_interrupted)
        sample_idle();
    int controlling = TRY(open("/dev/tty", O_RDWR));
    CHECK(tcgetpgrp(controlling) == getpgrp(), "the session is not in the foreground");
    sample_write(controlling, "interrupted\n", 12, "/dev/tty");
    _exit(0);
}

static void expect(int fd, const char *text)
{
    char buffer[64] = "";
    sample_read(fd, buffer, strlen(text), text);
    CHECK(strcmp(buffer, text) == 0, "the terminal says '%s', not '%s'", buffer, text);
}

int main(void)
{
    int quiet_master, quiet_slave, master, slave;
    char quiet_name[64], name[64];
    struct termios settings, now;
    struct winsize size = { .ws_row = 31, .ws_col = 117 }, size_now;
    TRY(openpty(&quiet_master, &quiet_slave, quiet_name, NULL, &size));
    TRY(tcgetattr(quiet_slave, &settings));
    settings.c_lflag &= ~(ECHO | ICANON);
    settings.c_oflag &= ~OPOST;
    settings.c_cc[VINTR] = 7;
    settings.c_cc[VMIN] = 2;
    TRY(tcsetattr(quiet_slave, TCSANOW, &settings));
    sample_write(quiet_master, "typed ahead", 11, "master");
    sample_write(quiet_slave, "printed\n", 8, "slave");

    TRY(openpty(&master, &slave, name, NULL, NULL));
    pid_t child = TRY(fork());
    if (child == 0)
        session(slave);
    expect(master, "started\r\n");

    sample_ready();
    while (sample_more(100))
        sample_idle();

    expect(quiet_slave, "typed ahead");
    expect(quiet_master, "printed\n");
    TRY(tcgetattr(quiet_slave, &now));
    CHECK(now.c_lflag == settings.c_lflag && now.c_oflag == settings.c_oflag && now.c_cc[VINTR] == 7 && now.c_cc[VMIN] == 2,
          "the terminal settings differ");
    TRY(ioctl(quiet_master, TIOCGWINSZ, &size_now));
    CHECK(size_now.ws_row == 31 && size_now.ws_col == 117, "the window is %dx%d", size_now.ws_col, size_now.ws_row);
    CHECK(strcmp(ttyname(quiet_slave), quiet_name) == 0 && strcmp(ptsname(master), name) == 0,
          "the terminals are called %s and %s, were %s and %s", ttyname(quiet_slave), ptsname(master), quiet_name, name);

    sample_write(master, "\003", 1, "master");
    expect(master, "^C");
    char answer[16];
    sample_read(master, answer, 13, "answer of the session");
    CHECK(memcmp(answer, "interrupted\r\n", 13) == 0, "the session answers '%.13s'", answer);
    sample_wait_child(child, "session");
    return sample_ok(0);
}
