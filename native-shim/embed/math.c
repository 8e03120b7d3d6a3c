/* Rounding for the C# object, which would otherwise need libm. World: all. */
#include <stdint.h>

double dm_rt_ceil(double value);
double dm_rt_floor(double value);

/* From here on every double is a whole number. */
static const double Whole = 4503599627370496.0; /* 2 to the 52nd */

double dm_rt_floor(double value)
{
    if (!(value > -Whole && value < Whole)) /* also NaN */
        return value;
    double whole = (double)(int64_t)value;
    if (whole > value)
        whole -= 1;
    return __builtin_copysign(whole, value); /* -0.0 stays what it is */
}

double dm_rt_ceil(double value)
{
    return -dm_rt_floor(-value);
}
