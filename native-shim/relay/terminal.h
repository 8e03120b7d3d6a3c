/* The terminal at which a remote command seems to run. World: ordinary. */
#ifndef DM_RELAY_TERMINAL_H
#define DM_RELAY_TERMINAL_H

#include <stdbool.h>
#include <sys/ioctl.h>
#include <termios.h>

/* As the local terminal is; sent as it lies in memory: both sides are x86-64 Linux. */
struct terminal_state {
    struct winsize window;
    struct termios modes;
    bool has_modes; /* false: there is no local terminal, as with ssh -tt in a script */
};

void terminal_read(struct terminal_state *state);

/* Every key goes to the other side: raw mode, until terminal_put_back. Nothing happens where standard input is no terminal. */
void terminal_make_raw(void);
void terminal_put_back(void);

#endif
