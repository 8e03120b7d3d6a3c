/* World: ordinary. See terminal.h. */
#include "terminal.h"

#include <string.h>
#include <unistd.h>

static struct termios s_modes;
static bool s_is_raw;

void terminal_read(struct terminal_state *state)
{
    memset(state, 0, sizeof *state);
    state->has_modes = tcgetattr(STDIN_FILENO, &state->modes) == 0;
    if (s_is_raw)
        state->modes = s_modes;
    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &state->window) != 0)
        (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &state->window);
}

void terminal_make_raw(void)
{
    struct termios raw;
    if (s_is_raw || tcgetattr(STDIN_FILENO, &s_modes) != 0)
        return;
    raw = s_modes;
    cfmakeraw(&raw);
    s_is_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

void terminal_put_back(void)
{
    if (s_is_raw)
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &s_modes);
    s_is_raw = false;
}
