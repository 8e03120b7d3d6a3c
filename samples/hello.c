/* Proves: the smallest program of all sleeps and wakes, with its PID and its count. */
#include "sample.h"

int main(void)
{
    pid_t pid = getpid();
    uint64_t sum = 0;

    sample_ready();
    for (uint64_t step = 0; sample_more(100); step++) {
        sum = sample_mix(sum + step);
        sample_idle();
    }

    CHECK(getpid() == pid, "getpid() is %d, was %d", getpid(), pid);
    return sample_ok(sum);
}
