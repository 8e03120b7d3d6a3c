/* Counts on standard output, a line for each step: whatever happens in between, no line is missing or there twice. */
#include "sample.h"

int main(void)
{
    for (long line = 0; sample_more(50); line++) {
        char text[32];
        int length = snprintf(text, sizeof text, "line %ld\n", line);
        sample_write(1, text, (size_t)length, "standard output");
        sample_idle();
    }
    return sample_ok(0);
}
