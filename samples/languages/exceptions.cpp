// Proves: C++ exceptions unwind through frames that existed before the sleep, and
// thread_local objects are constructed once and destroyed once per thread.
#include "../sample.h"
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static std::atomic<int> s_constructed, s_destroyed, s_unwound;
static std::atomic<bool> s_over;

struct Local {
    std::string name;
    long caught = 0;
    Local() { s_constructed++; }
    ~Local() { s_destroyed++; }
};

struct Frame {
    ~Frame() { s_unwound++; }
};

static thread_local Local t_local;

static void descend(int depth)
{
    Frame frame;
    if (depth == 0)
        throw std::runtime_error(t_local.name);
    descend(depth - 1);
}

// Waits with frames to unwind above it, then throws through all of them.
static void sleep_inside(int depth)
{
    Frame frame;
    if (depth > 0)
        return sleep_inside(depth - 1);
    while (!s_over) {
        try {
            descend(20);
        } catch (const std::runtime_error &error) {
            CHECK(error.what() == t_local.name, "caught '%s' in thread '%s'", error.what(), t_local.name.c_str());
            t_local.caught++;
        }
    }
    throw std::out_of_range("woken");
}

static void run(int number)
{
    t_local.name = "a name that is too long for the small string: " + std::to_string(number);
    try {
        sleep_inside(10);
        sample_fail("nothing was thrown");
    } catch (const std::out_of_range &error) {
        CHECK(std::string(error.what()) == "woken" && t_local.caught > 0, "caught '%s'", error.what());
    }
}

int main()
{
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++)
        threads.emplace_back(run, i);

    sample_ready();
    while (sample_more(100))
        sample_idle();

    s_over = true;
    for (auto &thread : threads)
        thread.join();
    CHECK(s_constructed == 4 && s_destroyed == 4, "%d constructed, %d destroyed", s_constructed.load(), s_destroyed.load());
    CHECK(s_unwound % 21 == 44 % 21, "%d frames unwound", s_unwound.load());
    return sample_ok(0);
}
