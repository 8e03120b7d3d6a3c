/* Holds files open while somebody else changes them, then reports what they contain.
 * usage: hold-files MODE:FILE...    MODE: r read, w write (at the end), a append, u update */
#include "../sample.h"

int main(int count, char **arguments)
{
    for (int i = 1; i < count; i++) {
        char mode = arguments[i][0];
        int flags = mode == 'r' ? O_RDONLY : mode == 'u' ? O_RDWR : O_WRONLY | O_CREAT | (mode == 'a' ? O_APPEND : 0);
        int fd = TRY(open(arguments[i] + 2, flags, 0640));
        if (mode == 'w')
            TRY(lseek(fd, 0, SEEK_END));
    }
    sample_ready();
    while (sample_more(100))
        sample_idle();
    return sample_ok(0);
}
