/* Rounding (embed/math.c): the same as libc's compiler builtins for every kind of value. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "check.h"

double dm_rt_ceil(double value);
double dm_rt_floor(double value);

static uint64_t bits(double value)
{
    uint64_t all;
    memcpy(&all, &value, sizeof all);
    return all;
}

int main(void)
{
    static const struct {
        double value, floor, ceil;
    } cases[] = {
        {0.0, 0.0, 0.0},       {-0.0, -0.0, -0.0},       {0.3, 0.0, 1.0},
        {-0.3, -1.0, -0.0},    {1.0, 1.0, 1.0},          {-1.0, -1.0, -1.0},
        {2.5, 2.0, 3.0},       {-2.5, -3.0, -2.0},       {4503599627370495.5, 4503599627370495.0, 4503599627370496.0},
        {1e300, 1e300, 1e300}, {-1e300, -1e300, -1e300}, {INFINITY, INFINITY, INFINITY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK(bits(dm_rt_floor(cases[i].value)) == bits(cases[i].floor));
        CHECK(bits(dm_rt_ceil(cases[i].value)) == bits(cases[i].ceil));
    }
    CHECK(dm_rt_floor(NAN) != dm_rt_floor(NAN));
    return 0;
}
